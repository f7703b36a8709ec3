/**
 * SSIM of two frames of 1920x1080 that differ in 200x60 pixels: vmwright against `ssim.js` on the whole frames.
 *
 *     node --import tsx bench/ssim.ts
 *
 * @module
 */
import { ssim } from 'ssim.js';
import type { Frame } from '../fixtures/image/frame.ts';
import { compareFrames } from '../fixtures/visual/compare.ts';
import { similarity } from '../fixtures/visual/ssim.ts';
import { fastest, milliseconds, ratio, testCard } from './support/measure.ts';

const SIZE = { width: 1920, height: 1080 };
const base = testCard(SIZE);
const changed = testCard(SIZE, { x: 1200, y: 700, width: 200, height: 60 });

const clamped = (frame: Frame) => ({ ...frame, data: new Uint8ClampedArray(frame.data) });
const [one, two] = [clamped(changed), clamped(base)];
const options = { ssim: 'fast', downsample: false } as const;

const peer = fastest(5, () => ssim(one, two, options));
const whole = fastest(15, () => similarity(changed, base));
const verdict = fastest(15, () => compareFrames(changed, base));
const copy = { ...base, data: Uint8Array.from(base.data) };
const equal = fastest(15, () => compareFrames(copy, base));
const gap = Math.abs(similarity(changed, base).luma - ssim(one, two, options).mssim);

console.log(`ssim.js, whole frames              ${milliseconds(peer)}`);
console.log(`similarity (luma, red, green, blue) ${milliseconds(whole)}  ${ratio(peer, whole)} faster`);
console.log(`compareFrames, failing, with diff  ${milliseconds(verdict)}`);
console.log(`compareFrames, equal frames        ${milliseconds(equal)}`);
console.log(`luma score differs by              ${gap.toExponential(1)}`);
