/**
 * The machine that an agent has open, and what it does there: one thing after the other, with the verbs of a spec.
 *
 * @module
 */
import { relative } from 'node:path';
import { VmwrightError } from '../../fixtures/errors.ts';
import type { Rect } from '../../fixtures/image/frame.ts';
import { secretsShown, untilOrNot } from '../../fixtures/matchers/screen.ts';
import { knownSecrets, SECRET_NAME } from '../../fixtures/recorder/secret-names.ts';
import { type Secret, secretFrom } from '../../fixtures/secrets/index.ts';
import {
  createScreenReader,
  lookFor,
  nearestLines,
  quotable,
  unreadableError,
} from '../../fixtures/vision/index.ts';
import type { Locator, MouseButton } from '../../fixtures/vnc/index.ts';
import { Ending } from '../ending.ts';
import { lookAt } from '../look.ts';
import { saveNeedle } from '../save-needle.ts';
import { openSession, type Session } from '../session.ts';
import { ensureCluster, type StandIn } from '../stand-in.ts';
import type { Access } from './access.ts';
import { Snapshot } from './snapshot.ts';
import type { Workspace } from './workspace.ts';

interface Opened {
  readonly name: string;
  readonly session: Session;
  readonly ending: Ending;
}

/** How long `vm_wait_for` waits. Seconds. */
const DEFAULT_WAIT_S = 15;
const LONGEST_WAIT_S = 120;

export class Hands implements AsyncDisposable {
  readonly #access: Access;
  readonly #say: (line: string) => void;
  readonly #ending = new Ending();
  #cluster: Promise<StandIn> | undefined;
  #opened: Opened | undefined;
  #snapshot: Snapshot | undefined;

  constructor(access: Access, say: (line: string) => void) {
    this.#access = access;
    this.#say = say;
  }

  /** The cluster of the settings, or the lab from here on. */
  cluster(): Promise<StandIn> {
    this.#cluster ??= ensureCluster(this.#access.machines, this.#ending, this.#say).catch(
      (error: unknown) => {
        this.#cluster = undefined;
        throw error;
      },
    );
    return this.#cluster;
  }

  get openName(): string | undefined {
    return this.#opened?.name;
  }

  /** Leases it and rolls it back, or leaves it as it is. What was open is closed. @returns what was said meanwhile */
  async open(name: string, keep: boolean): Promise<string> {
    const machine = this.#access.machine(name);
    await this.close();
    const { env, unbuilt } = await this.cluster();
    const build = unbuilt.get(name);
    if (build !== undefined) throw notBuilt(name, build);
    const ending = new Ending();
    const notes: string[] = [];
    try {
      const session = await openSession(
        { machine, machines: this.#access.machines, env, doing: 'vmwright mcp', keep, wait: 0 },
        ending,
        (line) => notes.push(line),
      );
      this.#opened = { name, session, ending };
    } catch (error) {
      await ending[Symbol.asyncDispose]();
      throw error;
    }
    const { names } = knownSecrets(env, machine);
    const { width, height } = this.#opened.session.page.size;
    const typed = names.length === 0 ? 'none' : names.map((one) => `{${one}}`).join(', ');
    return [
      ...notes.filter((note) => note.startsWith('warning')),
      `${name} is open, ${keep ? 'as it was' : 'as a test finds it'}: ${width}x${height}, application ${machine.application.title}.`,
      `Secrets that vm_type takes by name: ${typed}.`,
    ].join('\n');
  }

  /** Gives the machine back. @returns its name */
  async close(): Promise<string | undefined> {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#snapshot = undefined;
    await opened?.ending[Symbol.asyncDispose]();
    return opened?.name;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.close();
    } finally {
      await this.#ending[Symbol.asyncDispose]();
    }
  }

  /** The screen of the open machine; of another one without touching it, unless somebody uses it. */
  async snapshot(name: string | undefined): Promise<Snapshot> {
    if (name !== undefined && name !== this.#opened?.name) {
      const machine = this.#access.machine(name);
      const frame = await lookAt(machine, (await this.cluster()).env, { unlessHeld: true });
      return new Snapshot(name, frame, await createScreenReader().read(frame), []);
    }
    const { page } = this.#session();
    const frame = await page.frame();
    const map = await page.textOf(frame);
    this.#snapshot = new Snapshot(page.name, frame, map, page.secretsOn(frame));
    return this.#snapshot;
  }

  async click(
    target: string,
    options: {
      readonly button?: MouseButton;
      readonly doubleClick?: boolean;
      readonly modifiers?: readonly string[];
    },
  ): Promise<void> {
    const { button = 'left', doubleClick = false, modifiers = [] } = options;
    await this.#find(target).click({ button, clickCount: doubleClick ? 2 : 1, modifiers });
  }

  /** Into a field, or where the focus is. A secret is a `{NAME}` that is all of the text. */
  async type(text: string, target: string | undefined, submit: boolean): Promise<void> {
    const { page } = this.#session();
    const typed = await this.#secretOr(text);
    if (target === undefined) await page.keyboard.type(typed);
    else await this.#find(target).fill(typed);
    if (submit) await page.keyboard.press('Enter');
  }

  async press(key: string): Promise<void> {
    await this.#session().page.keyboard.press(key);
  }

  async drag(from: string, to: string): Promise<void> {
    await this.#find(from).dragTo(this.#find(to));
  }

  /** @throws `TEXT_NOT_FOUND`, `TEXT_UNSURE`, `TEXT_UNREADABLE` */
  async waitFor(text: string, isGone: boolean, seconds: number = DEFAULT_WAIT_S): Promise<void> {
    const { page } = this.#session();
    const timeout = Math.min(seconds, LONGEST_WAIT_S) * 1000 * page.timeoutScale;
    let seen = '';
    let doubt: string | undefined;
    const settled = await untilOrNot(
      page,
      async (frame) => {
        const map = await page.textOf(frame);
        const sight = lookFor(map, text);
        if (sight.kind === 'unreadable') throw unreadableError(page.name, text, sight);
        doubt = sight.kind === 'unsure' ? sight.doubts[0]?.why : undefined;
        const hidden = secretsShown(page, frame, map);
        seen = nearestLines(map, text)
          .slice(0, 5)
          .map((line) => JSON.stringify(quotable(line, hidden)))
          .join(', ');
        return sight.kind === (isGone ? 'absent' : 'found') ? true : undefined;
      },
      { timeout, absence: isGone },
    );
    if (settled === true) return;
    throw new VmwrightError({
      code: doubt === undefined ? 'TEXT_NOT_FOUND' : 'TEXT_UNSURE',
      subject: `${page.name}, text ${JSON.stringify(text)}`,
      message: `${isGone ? 'it did not go' : 'it did not appear'} within ${timeout} ms${doubt === undefined ? '' : `: ${doubt}`}`,
      expected: isGone ? 'that it is gone' : 'that it is on the screen',
      seen: seen || 'no text at all',
      next: 'take a snapshot',
    });
  }

  async exec(command: string): Promise<{ readonly exitCode: number | undefined; readonly output: string }> {
    const ssh = await this.#session().ssh();
    const { exitCode, stdout, stderr } = await ssh.exec(command, { check: false });
    return { exitCode, output: [stdout, stderr].filter((text) => text !== '').join('\n') };
  }

  async launch(): Promise<void> {
    await this.#session().launch();
  }

  /** @returns warnings */
  async rollback(): Promise<readonly string[]> {
    const warnings = await this.#session().reset();
    this.#snapshot = undefined;
    return warnings;
  }

  /** A part of the last snapshot. @returns what was said of it */
  async needle(part: string | Rect, file: string, workspace: Workspace): Promise<string> {
    const snapshot = this.#snapshot ?? (await this.snapshot(undefined));
    const rect = typeof part === 'string' ? snapshot.boxOf(part) : part;
    snapshot.refuseSecret(rect);
    const path = workspace.needle(file);
    let said = '';
    const stream = { write: (text: string) => (said += text) };
    await saveNeedle(snapshot.frame, rect, [], path, { stdout: stream, stderr: stream });
    return said.replaceAll(path, relative(workspace.root, path));
  }

  #session(): Session {
    if (this.#opened !== undefined) return this.#opened.session;
    throw new VmwrightError({
      code: 'NO_MACHINE_OPEN',
      subject: 'vmwright mcp',
      message: 'no machine is open',
      next: 'open one with vm_open',
    });
  }

  /** `text=Log in`, `label=Email`, or a ref of the last snapshot. */
  #find(target: string): Locator {
    const { page } = this.#session();
    const [, kind, words = ''] = /^(text|label)=(.+)$/s.exec(target) ?? [];
    if (kind === 'text') return page.getByText(words);
    if (kind === 'label') return page.getByLabel(words);
    const snapshot = this.#snapshot ?? emptyOf(page.latest());
    return snapshot.locator(page, target);
  }

  async #secretOr(text: string): Promise<string | Secret> {
    const name = /^\{(.+)\}$/.exec(text)?.[1];
    if (name === undefined || !SECRET_NAME.test(name)) return text;
    const machine = this.#access.machine(this.#opened?.name ?? '');
    const { env } = await this.cluster();
    if (!knownSecrets(env, machine).names.includes(name)) throw noSecret(name);
    return secretFrom(env, name, 'vmwright mcp');
  }
}

/** Knows no ref. */
function emptyOf(frame: Snapshot['frame']): Snapshot {
  return new Snapshot('', frame, { width: frame.width, height: frame.height, lines: [] }, []);
}

function noSecret(name: string): VmwrightError {
  return new VmwrightError({
    code: 'SECRET_MISSING',
    subject: `{${name}}`,
    message: 'no secret of this name may be typed',
    expected: 'one that vm_open lists',
    next: 'name another, or ask a person to set it',
  });
}

function notBuilt(name: string, build: string): VmwrightError {
  return new VmwrightError({
    code: 'GUEST_NOT_BUILT',
    subject: name,
    message: 'this guest of the lab is not built',
    next: `a person builds it: ${build}`,
  });
}
