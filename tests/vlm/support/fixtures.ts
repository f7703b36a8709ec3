/**
 * Pictures, a scripted provider, and an asker on it.
 *
 * @module
 */
import { test as base } from '@playwright/test';
import { type VlmSettings, vlmSettings } from '../../../fixtures/config/vlm.ts';
import { isVmwrightError, type VmwrightError } from '../../../fixtures/errors.ts';
import type { Frame } from '../../../fixtures/image/frame.ts';
import { createScreenReader, type TextMap } from '../../../fixtures/vision/index.ts';
import { type AskerContext, type Asker, createAsker } from '../../../fixtures/vision/vlm/asker.ts';
import { draw } from '../../matchers/support/screen.ts';
import { type Provider, startProvider } from './provider.ts';

const SIZE = { width: 480, height: 240 };
export const BUTTON = { x: 300, y: 160, width: 120, height: 40 };

/** A small window: a title, a status line, a button. */
export function windowOf(status: string, ...more: readonly string[]): Frame {
  return draw(
    SIZE,
    [
      { text: 'Harbor Chat', x: 20, y: 40, size: 20 },
      { text: status, x: 20, y: 100 },
      ...more.map((text, index) => ({ text, x: 20, y: 130 + 30 * index })),
      { text: 'Log in', x: BUTTON.x + 30, y: BUTTON.y + 26 },
    ],
    [{ ...BUTTON, colour: '#9cc3f0' }],
  );
}

/** Where the status line is. */
export const STATUS_BOX = [18, 84, 300, 106] as const;

const read = createScreenReader();
export const textOf = (frame: Frame): Promise<TextMap> => read.read(frame);

/** Time that passes only by sleeping, and notes it. */
export class SleepClock {
  readonly slept: number[] = [];
  #now = 0;
  now = (): number => this.#now;
  sleep = (ms: number): Promise<void> => {
    this.slept.push(ms);
    this.#now += ms;
    return Promise.resolve();
  };
}

export interface VlmFixtures {
  readonly provider: Provider;
  /** An asker on the provider, or on other settings. */
  readonly asker: (env?: Record<string, string>, context?: Partial<AskerContext>) => Asker;
  readonly settings: (env?: Record<string, string>) => VlmSettings;
}

export const test = base.extend<VlmFixtures>({
  provider: async ({}, use) => {
    const provider = await startProvider();
    await use(provider);
    await provider.stop();
  },
  settings: async ({ provider }, use, info) => {
    await use((env = {}) =>
      vlmSettings({
        VLM_BASE_URL: provider.url,
        VLM_MODEL: 'scripted-vl',
        VLM_CALL_TIMEOUT_MS: '5000',
        VLM_CASSETTE_DIR: info.outputPath('cassettes'),
        ...env,
      }),
    );
  },
  asker: async ({ settings }, use, info) => {
    await use((env = {}, context = {}) =>
      createAsker(settings(env), {
        budgets: [],
        ci: false,
        cacheFolder: info.outputPath('cache'),
        nonce: () => 'n0nce',
        clock: new SleepClock(),
        ...context,
      }),
    );
  },
});

/** The error of vmwright that the promise ends in. */
export async function vmwrightError(promise: Promise<unknown>): Promise<VmwrightError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isVmwrightError(error)) return error;
  throw new Error(`not a VmwrightError: ${String(error)}`, { cause: error });
}
