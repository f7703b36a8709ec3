/**
 * A simulated desktop: what its RFB server shows, and what its keyboard and mouse do.
 *
 * @module
 */
import { type Canvas, createCanvas } from '@napi-rs/canvas';
import { credentialsFile } from '../keyring.ts';
import type { Journal } from '../journal.ts';
import type { Fault, Faults } from '../quirks.ts';
import {
  EDITOR_LINUX,
  EDITOR_WINDOWS,
  HARBOR_EXE,
  HARBOR_LINUX,
  HARBOR_SCRIPT,
  HARBOR_WINDOWS,
} from '../files.ts';
import type { ProcessTable } from '../processes.ts';
import { HarborChat } from '../programs/harbor-chat.ts';
import { type Box, contains, type Program } from '../programs/program.ts';
import { TextEditor } from '../programs/text-editor.ts';
import type { Area, Picture } from '../rfb/encoders.ts';
import type { Display } from '../rfb/server.ts';
import type { GuestClock } from '../clock.ts';
import type { GuestDefinition, GuestFiles, GuestProcess } from '../system.ts';
import { loadFonts, font } from './fonts.ts';
import { KeyMapper, type KeyPress } from './keys.ts';
import { closeButtonOf, contentOf, hitBox, launcherButtonOf, paintDesktop, TITLE_BAR } from './paint.ts';
import { changedArea } from './changed-area.ts';
import { Locker } from './locker.ts';
import { Greeter, type Overlay, SystemDialog } from './overlays.ts';
import { themes } from './themes.ts';

/** SeaBIOS's text mode, which QEMU shows until the guest sets its own. */
const FIRMWARE = { width: 720, height: 400 };
const CARET_MS = 500;
/** From the window to its first content: Electron shows an empty surface first. */
const FIRST_PAINT_MS = 300;
const SLOW_PAINT_MS = 12_000;
const FIRST_RUN_COMM = 'WebExperienceHostApp.exe';
const PROGRAMS = {
  'Harbor Chat': { linux: HARBOR_LINUX, windows: HARBOR_WINDOWS },
  'Text Editor': { linux: EDITOR_LINUX, windows: EDITOR_WINDOWS },
} as const;
type Title = keyof typeof PROGRAMS;

interface Window {
  readonly pid: number;
  readonly program: Program;
  readonly frame: Box;
  painted: boolean;
}

/** Everything of a desktop that a RAM snapshot holds. */
export interface DesktopState {
  readonly phase: Phase;
  readonly query: string | undefined;
  readonly windows: readonly {
    readonly pid: number;
    readonly title: string;
    readonly frame: Box;
    readonly program: unknown;
  }[];
}

/** Exit code of a shell for a file that is no program (POSIX, 126). */
const EXEC_FORMAT_ERROR = 126;

type Phase = 'off' | 'firmware' | 'desktop';

/** What a desktop stands on. */
export interface DesktopHost {
  readonly definition: GuestDefinition;
  readonly processes: ProcessTable;
  readonly disk: GuestFiles;
  readonly clock: GuestClock;
  readonly faults: Faults;
  readonly journal: Journal;
}

/** Exit code of a program that cannot read its configuration. */
const CONFIG_ERROR = 1;

export class Desktop implements Display {
  readonly #definition: GuestDefinition;
  readonly #processes: ProcessTable;
  readonly #files: GuestFiles;
  readonly #faults: Faults;
  readonly #journal: Journal;
  readonly #overlays: {
    readonly greeter: Overlay;
    readonly firstRun: Overlay;
    readonly banner: Overlay;
    readonly shutDown: Overlay;
  };
  readonly #listeners = new Set<(area: Area | 'resized') => void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #clock: GuestClock;
  readonly #locker: Locker;
  #keys = this.#keyMapper();
  #isBannerDismissed = false;
  #isShuttingDown = false;
  #hidesWindows = false;
  #phase: Phase = 'off';
  #windows: Window[] = [];
  #query: string | undefined;
  #buttons = 0;
  #pointer = { x: 0, y: 0 };
  #caret = true;
  #blinking: NodeJS.Timeout | undefined;
  #canvas: Canvas;
  #shown: Picture;

  constructor({ definition, processes, disk, clock, faults, journal }: DesktopHost) {
    this.#clock = clock;
    this.#definition = definition;
    this.#processes = processes;
    this.#files = disk;
    this.#faults = faults;
    this.#journal = journal;
    this.#locker = new Locker({ definition, processes, disk }, () => this.#repaint());
    this.#overlays = {
      greeter: new Greeter(definition.user),
      firstRun: new SystemDialog(
        "Let's finish setting up your device",
        'Sign in to get the most out of Windows.',
        'Continue',
        () => undefined,
      ),
      shutDown: new SystemDialog(
        'Shut Down Windows',
        'What do you want the computer to do?',
        'OK',
        () => (this.#isShuttingDown = false),
      ),
      banner: new SystemDialog(
        'Software Updates Ready',
        'Restart to install important updates.',
        'Later',
        () => (this.#isBannerDismissed = true),
      ),
    };
    this.#canvas = createCanvas(1, 1);
    this.#shown = { width: 1, height: 1, data: new Uint8Array(4) };
    processes.on((event) => {
      if (this.#phase !== 'desktop') return;
      if (event.type === 'spawned') void this.#open(event.process, event.request.path, event.request.args);
      else {
        this.#locker.exited(event.process.pid, event.signal);
        this.#close(event.process.pid);
      }
    });
  }

  /** What the screen shows from now on; windows are gone. */
  enter(phase: Phase): void {
    this.#reset();
    this.#phase = phase;
    this.#repaint();
  }

  picture(): Picture {
    if (this.#shown.width === 1) this.#repaint();
    return this.#shown;
  }

  onDamage(listener: (area: Area | 'resized') => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  watched(clients: number): void {
    clearInterval(this.#blinking);
    this.#blinking = undefined;
    if (clients === 0) return;
    this.#blinking = setInterval(() => {
      this.#caret = !this.#caret;
      if (this.#windows.length > 0) this.#repaint();
    }, CARET_MS);
  }

  key(keysym: number, down: boolean): void {
    const press = this.#keys.event(keysym, down);
    if (press === undefined || this.#phase !== 'desktop') return;
    const overlay = this.#overlay();
    if (overlay !== undefined) overlay.key(press);
    else if (press.name === 'Super') this.#query = this.#query === undefined ? '' : undefined;
    else if (this.#query !== undefined) this.#launcherKey(press, this.#query);
    else if (press.alt && press.name === 'F4') this.#closeFocused();
    else if (!this.#faults.has('desktop-focused')) this.#windows.at(-1)?.program.key(press);
    this.#caret = true;
    this.#repaint();
  }

  /** Alt+F4. On the desktop of Windows it asks whether to shut down. */
  #closeFocused(): void {
    const focused = this.#faults.has('desktop-focused') ? undefined : this.#windows.at(-1);
    if (focused !== undefined) this.#processes.exit(focused.pid, 0);
    else if (this.#faults.has('alt-f4-on-desktop')) this.#isShuttingDown = true;
  }

  pointer(x: number, y: number, buttons: number): void {
    const pressed = (buttons & 1) !== 0 && (this.#buttons & 1) === 0;
    // An absolute pointer that is told where it is already has not moved.
    const isMotion = this.#pointer.x !== x || this.#pointer.y !== y || this.#buttons !== buttons;
    this.#buttons = buttons;
    this.#pointer = { x, y };
    if (this.#phase !== 'desktop' || !isMotion) return;
    if (pressed) this.#click(x, y);
    const isMoved = this.#pointed(x, y);
    if (pressed || isMoved) this.#repaint();
  }

  /** The window in front follows the pointer. @returns whether it does */
  #pointed(x: number, y: number): boolean {
    const front = this.#windows.at(-1);
    if (front?.program.pointer === undefined || !front.painted) return false;
    if (this.#overlay() !== undefined || this.#query !== undefined) return false;
    const content = contentOf(front.frame);
    front.program.pointer(x - content.x, y - content.y, (this.#buttons & 1) !== 0);
    return true;
  }

  /** A display adapter of Proxmox's `vga`: on virtio-gpu and qxl composited windows are not in what VNC captures. */
  setAdapter(vga: string): void {
    this.#hidesWindows = /virtio|qxl/.test(vga);
    this.#repaint();
  }

  faultSwitched(fault: Fault, on: boolean): void {
    if ((fault === 'lock-screen' || fault === 'autolock') && this.#definition.desktop !== 'kde') {
      throw new Error(`${this.#definition.name}: only KDE has the fault "${fault}"`);
    }
    if (fault === 'lock-screen' && on) this.#lock();
    if (fault === 'overview-open' && on && this.#opensOverview()) this.#query = '';
    if (fault === 'update-banner') this.#isBannerDismissed = false;
    if (fault === 'autolock') this.#locker.autolock(on, () => this.#lock());
    this.#repaint();
  }

  snapshot(): DesktopState {
    return {
      phase: this.#phase,
      query: this.#query,
      windows: this.#windows.map(({ pid, frame, program }) => ({
        pid,
        title: program.title,
        frame,
        program: program.snapshot(),
      })),
    };
  }

  restore(state: DesktopState): void {
    this.#reset();
    this.#phase = state.phase;
    this.#query = this.#opensOverview() ? '' : state.query;
    this.#windows = state.windows.map(({ pid, title, frame, program }) => {
      const restored = title === 'Text Editor' ? new TextEditor(this.#faults) : this.#harbor();
      restored.restore(program);
      return { pid, frame, program: restored, painted: true };
    });
    this.#locker.restore();
    this.#repaint();
  }

  dispose(): void {
    this.watched(0);
    this.#locker.dispose();
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.#listeners.clear();
  }

  #opensOverview(): boolean {
    return this.#faults.has('overview-open') && this.#definition.desktop === 'gnome';
  }

  #reset(): void {
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.#timers.clear();
    this.#windows = [];
    this.#query = undefined;
    this.#buttons = 0;
    this.#locker.reset();
    this.#isBannerDismissed = false;
    this.#isShuttingDown = false;
    this.#keys = this.#keyMapper();
  }

  #keyMapper(): KeyMapper {
    return new KeyMapper(() => this.#definition.session === 'wayland' && this.#faults.has('drops-shifted'));
  }

  /** What lies over everything and takes the input. */
  #overlay(): Overlay | undefined {
    if (this.#faults.has('greeter') || this.#faults.has('session-locked')) return this.#overlays.greeter;
    if (this.#isShuttingDown) return this.#overlays.shutDown;
    if (this.#locker.screen !== undefined) return this.#locker.screen;
    const runs = (comm: string): boolean => this.#processes.list().some((process) => process.comm === comm);
    if (this.#faults.has('first-run-dialog') && runs(FIRST_RUN_COMM)) return this.#overlays.firstRun;
    const isBanner = this.#faults.has('update-banner') && this.#definition.desktop === 'gnome';
    return isBanner && !this.#isBannerDismissed ? this.#overlays.banner : undefined;
  }

  #lock(): void {
    if (this.#phase === 'desktop') this.#locker.lock();
  }

  #click(x: number, y: number): void {
    const { width, height } = this.#shown;
    const overlay = this.#overlay();
    if (overlay !== undefined) {
      overlay.click(x, y, width, height);
      return;
    }
    const theme = themes[this.#definition.desktop];
    if (contains(launcherButtonOf(width, height, theme), x, y)) {
      this.#query = this.#query === undefined ? '' : undefined;
      return;
    }
    if (this.#query !== undefined) {
      const title = this.#hits(this.#query).find((_, hit) =>
        contains(hitBox(width, height, theme, hit), x, y),
      );
      if (title !== undefined) this.#launch(title);
      this.#query = undefined;
      return;
    }
    const window = this.#windows.findLast(({ frame }) => contains(frame, x, y));
    if (window === undefined) return;
    if (contains(closeButtonOf(window.frame), x, y)) {
      this.#processes.exit(window.pid, 0);
      return;
    }
    this.#windows = [...this.#windows.filter((other) => other !== window), window];
    const content = contentOf(window.frame);
    if (window.painted && contains(content, x, y)) window.program.click(x - content.x, y - content.y);
  }

  #launcherKey({ char, name }: KeyPress, query: string): void {
    if (name === 'Escape') this.#query = undefined;
    else if (name === 'Backspace') this.#query = query.slice(0, -1);
    else if (name === 'Enter') {
      const [title] = query === '' ? [] : this.#hits(query);
      if (title !== undefined) this.#launch(title);
      this.#query = undefined;
    } else if (char !== undefined) this.#query = query + char;
  }

  #hits(query: string): Title[] {
    const wanted = query.trim().toLowerCase();
    return (Object.keys(PROGRAMS) as Title[]).filter((title) => title.toLowerCase().includes(wanted));
  }

  #launch(title: Title): void {
    const path = PROGRAMS[title][this.#definition.os];
    // The launcher starts what is on disk; a removed package simply does nothing, as on the real thing.
    void this.#files.exists(path).then((exists) => {
      if (exists) this.#processes.spawn({ path, user: this.#definition.user, session: 'desktop' });
    });
  }

  async #open(process: GuestProcess, path: string, args: readonly string[] = []): Promise<void> {
    if (process.session !== 'desktop') return;
    const program = isFile(path, 'Text Editor')
      ? new TextEditor(this.#faults, args[0])
      : await this.#openHarbor(process, path);
    if (program === undefined) return;
    if (!this.#processes.list().some(({ pid }) => pid === process.pid)) return;
    const { width, height } = this.#shown;
    const [w, h] = [program.size.width, program.size.height + TITLE_BAR];
    const frame = { x: Math.floor((width - w) / 2), y: Math.floor((height - h) / 2), width: w, height: h };
    const window: Window = { pid: process.pid, program, frame, painted: false };
    this.#windows.push(window);
    this.#repaint();
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        window.painted = true;
        this.#repaint();
      },
      this.#faults.has('slow-paint') ? SLOW_PAINT_MS : FIRST_PAINT_MS,
    );
    this.#timers.add(timer);
  }

  async #openHarbor(process: GuestProcess, path: string): Promise<Program | undefined> {
    if (!isFile(path, 'Harbor Chat')) return undefined;
    if (!(await this.#isHarbor(path))) {
      this.#processes.exit(process.pid, EXEC_FORMAT_ERROR);
      return undefined;
    }
    const program = this.#harbor();
    try {
      await program.load();
      return program;
    } catch (error) {
      this.#journal.append(process.comm, process.pid, String(error));
      this.#processes.exit(process.pid, CONFIG_ERROR);
      return undefined;
    }
  }

  /** Whatever else lies in the application's place does not run. */
  async #isHarbor(path: string): Promise<boolean> {
    if (!(await this.#files.exists(path))) return false;
    const content = await this.#files.read(path);
    return content === HARBOR_SCRIPT || content === HARBOR_EXE;
  }

  #close(pid: number): void {
    this.#windows = this.#windows.filter((window) => window.pid !== pid);
    this.#repaint();
  }

  #harbor(): HarborChat {
    const { os, user } = this.#definition;
    const file =
      os === 'windows'
        ? `C:\\Users\\${user}\\AppData\\Roaming\\Harbor\\session.json`
        : `/home/${user}/.config/harbor/session.json`;
    return new HarborChat(this.#files, file, credentialsFile(this.#definition), () => this.#repaint());
  }

  #repaint(): void {
    loadFonts();
    const { width, height } = this.#phase === 'desktop' ? this.#definition.screen : FIRMWARE;
    if (this.#canvas.width !== width || this.#canvas.height !== height)
      this.#canvas = createCanvas(width, height);
    const context = this.#canvas.getContext('2d');
    if (this.#phase === 'desktop') {
      const launcher =
        this.#query === undefined ? undefined : { query: this.#query, hits: this.#hits(this.#query) };
      const clock = new Date(this.#clock.now()).toISOString().slice(11, 16);
      const windows = this.#hidesWindows ? [] : this.#windows;
      const view = { width, height, clock, windows, launcher, caret: this.#caret };
      const theme = themes[this.#definition.desktop];
      paintDesktop(context, view, theme);
      this.#overlay()?.paint(context, width, height, theme);
    } else {
      context.fillStyle = '#000000';
      context.fillRect(0, 0, width, height);
      context.font = font(16);
      context.fillStyle = '#aaaaaa';
      if (this.#phase === 'firmware') context.fillText('SeaBIOS: booting from hard disk...', 10, 24);
    }
    const data = new Uint8Array(context.getImageData(0, 0, width, height).data.buffer);
    const before = this.#shown;
    this.#shown = { width, height, data };
    const area =
      before.width === width && before.height === height ? changedArea(before, this.#shown) : 'resized';
    if (area !== undefined) for (const listener of [...this.#listeners]) listener(area);
  }
}

/** Whether a path is that of this program. */
function isFile(path: string, title: Title): boolean {
  const { linux, windows } = PROGRAMS[title];
  return path === linux || path.toLowerCase() === windows.toLowerCase();
}
