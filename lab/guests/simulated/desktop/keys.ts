/**
 * From keysyms to characters, as a guest behind QEMU sees them.
 *
 * QEMU maps a keysym back to a key of its own keymap; which character comes out depends on whether Shift is down. So
 * an upper-case keysym without Shift types a lower-case letter: the client has to press Shift itself.
 *
 * @module
 */

/** A key press after mapping: either a character or a named key. */
export interface KeyPress {
  readonly char?: string;
  readonly name?: string;
  readonly shift: boolean;
  readonly control: boolean;
  readonly alt: boolean;
}

const NAMED: Readonly<Record<number, string>> = {
  0xff08: 'Backspace',
  0xff09: 'Tab',
  0xff0d: 'Enter',
  0xff8d: 'Enter',
  0xff1b: 'Escape',
  0xffff: 'Delete',
  0xff51: 'ArrowLeft',
  0xff52: 'ArrowUp',
  0xff53: 'ArrowRight',
  0xff54: 'ArrowDown',
  0xff50: 'Home',
  0xff57: 'End',
  0xffc1: 'F4',
};
const SHIFT = [0xffe1, 0xffe2];
const CONTROL = [0xffe3, 0xffe4];
const ALT = [0xffe9, 0xffea];
const SUPER = [0xffeb, 0xffec];
const PLAIN = "`1234567890-=[]\\;',./";
const SHIFTED = '~!@#$%^&*()_+{}|:"<>?';

export class KeyMapper {
  readonly #dropsShifted: () => boolean;
  readonly #down = new Set<number>();
  #superAlone = false;

  /** @param dropsShifted whether a shifted character without a Shift key held is lost, instead of losing its shift */
  constructor(dropsShifted: () => boolean) {
    this.#dropsShifted = dropsShifted;
  }

  /** A key press to act on, or undefined. A tap of Super alone comes as the name `Super` on its release. */
  event(keysym: number, down: boolean): KeyPress | undefined {
    if (down) this.#down.add(keysym);
    else this.#down.delete(keysym);
    if (SUPER.includes(keysym)) {
      const tapped = !down && this.#superAlone;
      this.#superAlone = down;
      return tapped ? this.#press({ name: 'Super' }) : undefined;
    }
    if (!down || [...SHIFT, ...CONTROL, ...ALT].includes(keysym)) return undefined;
    this.#superAlone = false;
    const name = NAMED[keysym];
    if (name !== undefined) return this.#press({ name });
    const char = this.#character(keysym);
    return char === undefined ? undefined : this.#press({ char });
  }

  #press(key: { char?: string; name?: string }): KeyPress {
    const holds = (keys: readonly number[]): boolean => keys.some((key) => this.#down.has(key));
    return { ...key, shift: holds(SHIFT), control: holds(CONTROL), alt: holds(ALT) };
  }

  #character(keysym: number): string | undefined {
    const isUnicode = keysym >= 0x0100_0000;
    if (isUnicode) return String.fromCodePoint(keysym - 0x0100_0000);
    if (keysym < 0x20 || keysym > 0xff) return undefined;
    const char = String.fromCharCode(keysym);
    const shift = SHIFT.some((key) => this.#down.has(key));
    const isShifted = /[A-Z]/.test(char) || SHIFTED.includes(char);
    if (isShifted && !shift && this.#dropsShifted()) return undefined;
    if (/[a-z]/i.test(char)) return shift ? char.toUpperCase() : char.toLowerCase();
    const key = PLAIN.includes(char) ? PLAIN.indexOf(char) : SHIFTED.indexOf(char);
    if (key < 0) return char;
    return (shift ? SHIFTED : PLAIN)[key];
  }
}
