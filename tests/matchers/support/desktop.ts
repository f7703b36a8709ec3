/**
 * Pictures of one small desktop: as it should be, and with things wrong.
 *
 * @module
 */
import type { Frame, Rect } from '../../../fixtures/image/frame.ts';
import { draw } from './screen.ts';

const SIZE = { width: 480, height: 320 };
export const CLOCK: Rect = { x: 420, y: 0, width: 60, height: 24 };
export const BADGE: Rect = { x: 200, y: 200, width: 10, height: 10 };

interface State {
  readonly clock: string;
  readonly button: { readonly x: number; readonly y: number };
  readonly badge: string;
}

const RIGHT: State = { clock: '10:00', button: { x: 320, y: 260 }, badge: '#1a7f37' };

export function desktop(wrong: Partial<State> = {}): Frame {
  const { clock, button, badge } = { ...RIGHT, ...wrong };
  return draw(
    SIZE,
    [
      { text: 'Acme Desktop', x: 12, y: 17, size: 14 },
      { text: clock, x: 426, y: 17, size: 14 },
      { text: 'Sign in to go on', x: 60, y: 90, size: 20 },
      { text: 'Server: vpn-eu.acme.example', x: 60, y: 140 },
      { text: 'Sign in', x: button.x + 30, y: button.y + 24 },
    ],
    [
      { x: 0, y: 0, width: SIZE.width, height: 24, colour: '#c9d6e8' },
      { ...button, width: 150, height: 36, colour: '#2f6db5' },
      { ...BADGE, colour: badge },
    ],
  );
}

/** The button somewhere else. */
export const moved = (): Frame => desktop({ button: { x: 60, y: 200 } });
