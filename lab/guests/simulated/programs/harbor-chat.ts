/**
 * Harbor Chat, the demo application: a log-in form and a chat.
 *
 * @module
 */
import type { SKRSContext2D } from '@napi-rs/canvas';
import { font } from '../desktop/fonts.ts';
import type { KeyPress } from '../desktop/keys.ts';
import type { Theme } from '../desktop/themes.ts';
import type { GuestFiles } from '../system.ts';
import { type Box, contains, type Program } from './program.ts';

const ACCOUNT = 'alice@example.test';
const PASSWORD = 'harbor-demo-1';
/** What the application leaves in the desktop's keyring. */
const CREDENTIAL = 'harbor-chat session';
const FIELDS = ['email', 'password', 'button'] as const;
type Field = (typeof FIELDS)[number];

interface State {
  view: 'login' | 'main';
  focus: Field;
  email: string;
  password: string;
  error: boolean;
  draft: string;
  messages: string[];
  /** The focused text is selected as a whole: what is typed takes its place. */
  selected: boolean;
}

const SIZE = { width: 860, height: 540 };
const FORM_X = 250;
const FORM_WIDTH = 360;
const PLACES: Readonly<Record<Field, Box>> = {
  email: { x: FORM_X, y: 174, width: FORM_WIDTH, height: 40 },
  password: { x: FORM_X, y: 262, width: FORM_WIDTH, height: 40 },
  button: { x: FORM_X, y: 330, width: FORM_WIDTH, height: 44 },
};
const DRAFT: Box = { x: 24, y: 476, width: 690, height: 42 };
const SEND: Box = { x: 730, y: 476, width: 106, height: 42 };
/** A click on a label focuses its entry, as HTML labels do. */
const LABEL_HEIGHT = 30;
const LINE_HEIGHT = 30;

export class HarborChat implements Program {
  readonly title = 'Harbor Chat';
  readonly size = SIZE;
  readonly #files: GuestFiles;
  readonly #sessionFile: string;
  readonly #credentialsFile: string | undefined;
  readonly #changed: () => void;
  #state: State = {
    view: 'login',
    focus: 'email',
    email: '',
    password: '',
    error: false,
    draft: '',
    messages: ['Welcome to Harbor'],
    selected: false,
  };

  /**
   * @param credentialsFile where the desktop keeps what it remembers of its user
   * @param changed tells the desktop to repaint
   */
  constructor(
    files: GuestFiles,
    sessionFile: string,
    credentialsFile: string | undefined,
    changed: () => void,
  ) {
    this.#files = files;
    this.#sessionFile = sessionFile;
    this.#credentialsFile = credentialsFile;
    this.#changed = changed;
  }

  /**
   * Opens the main view at once when a session was left behind, in its own file or with the desktop's credentials.
   *
   * @throws SyntaxError for a session file that is no JSON: the program ends
   */
  async load(): Promise<void> {
    if (await this.#files.exists(this.#sessionFile)) {
      const session = JSON.parse(await this.#files.read(this.#sessionFile)) as { email?: string };
      this.#state = { ...this.#state, view: 'main', email: session.email ?? ACCOUNT };
    } else if ((await this.#credentials()).includes(CREDENTIAL)) {
      this.#state = { ...this.#state, view: 'main', email: ACCOUNT };
    }
  }

  key(press: KeyPress): void {
    if (press.control && !press.alt && press.char?.toLowerCase() === 'a') this.#state.selected = true;
    if (press.control || press.alt) return;
    if (this.#state.view === 'login') this.#loginKey(press);
    else this.#mainKey(press);
    this.#state.selected = false;
  }

  click(x: number, y: number): void {
    this.#state.selected = false;
    if (this.#state.view === 'main') {
      if (contains(SEND, x, y)) this.#send();
      return;
    }
    for (const field of FIELDS) {
      const place = PLACES[field];
      const withLabel = { ...place, y: place.y - LABEL_HEIGHT, height: place.height + LABEL_HEIGHT };
      if (!contains(field === 'button' ? place : withLabel, x, y)) continue;
      this.#state.focus = field;
      if (field === 'button') this.#submit();
    }
  }

  draw(context: SKRSContext2D, box: Box, theme: Theme, caret: boolean): void {
    context.fillStyle = '#ffffff';
    context.fillRect(box.x, box.y, box.width, box.height);
    context.save();
    context.translate(box.x, box.y);
    if (this.#state.view === 'login') this.#drawLogin(context, theme, caret);
    else this.#drawMain(context, theme, caret);
    context.restore();
  }

  snapshot(): unknown {
    return structuredClone(this.#state);
  }

  restore(state: unknown): void {
    this.#state = structuredClone(state) as State;
  }

  #loginKey({ char, name, shift }: KeyPress): void {
    const { focus } = this.#state;
    if (name === 'Tab') {
      const step = shift ? FIELDS.length - 1 : 1;
      this.#state.focus = FIELDS[(FIELDS.indexOf(focus) + step) % FIELDS.length] ?? 'email';
    } else if (name === 'Enter' || (focus === 'button' && char === ' ')) this.#submit();
    else if (focus !== 'button') this.#state[focus] = this.#edited(this.#state[focus], char, name);
  }

  #mainKey({ char, name }: KeyPress): void {
    if (name === 'Enter') this.#send();
    else this.#state.draft = this.#edited(this.#state.draft, char, name);
  }

  #edited(text: string, char: string | undefined, name: string | undefined): string {
    const kept = this.#state.selected ? '' : text;
    if (name === 'Backspace') return Array.from(kept).slice(0, -1).join('');
    return char === undefined ? text : kept + char;
  }

  #submit(): void {
    const { email, password } = this.#state;
    if (email !== ACCOUNT || password !== PASSWORD) {
      this.#state = { ...this.#state, error: true, password: '', focus: 'password' };
      return;
    }
    this.#state = { ...this.#state, view: 'main', password: '', error: false };
    void this.#remember(email).then(this.#changed);
  }

  async #remember(email: string): Promise<void> {
    await this.#files.write(this.#sessionFile, JSON.stringify({ email }));
    if (this.#credentialsFile === undefined) return;
    await this.#files.write(this.#credentialsFile, `${await this.#credentials()}${CREDENTIAL}\n`);
  }

  async #credentials(): Promise<string> {
    const file = this.#credentialsFile;
    return file !== undefined && (await this.#files.exists(file)) ? this.#files.read(file) : '';
  }

  #send(): void {
    if (this.#state.draft === '') return;
    this.#state.messages.push(`alice: ${this.#state.draft}`);
    this.#state.draft = '';
  }

  #drawLogin(context: SKRSContext2D, theme: Theme, caret: boolean): void {
    const { focus, email, password, error } = this.#state;
    write(context, 'Sign in to Harbor', FORM_X, 104, font(28, 600), '#1d2330');
    write(context, 'Email', FORM_X, 164, font(16), '#3b4252');
    entry(context, PLACES.email, email, focus === 'email', theme, caret);
    write(context, 'Password', FORM_X, 252, font(16), '#3b4252');
    entry(context, PLACES.password, '•'.repeat(password.length), focus === 'password', theme, caret);
    button(context, PLACES.button, 'Log in', focus === 'button', theme);
    if (error) write(context, 'Wrong email or password', FORM_X, 410, font(16), '#c01c28');
  }

  #drawMain(context: SKRSContext2D, theme: Theme, caret: boolean): void {
    const { email, messages, draft } = this.#state;
    context.fillStyle = '#f0f3f8';
    context.fillRect(0, 0, SIZE.width, 56);
    write(context, `Signed in as ${email}`, 24, 36, font(17), '#1d2330');
    write(context, 'general channel', 24, 96, font(20, 600), '#1d2330');
    const visible = messages.slice(-Math.floor((DRAFT.y - 130) / LINE_HEIGHT));
    visible.forEach((line, index) =>
      write(context, line, 24, 140 + index * LINE_HEIGHT, font(17), '#1d2330'),
    );
    entry(context, DRAFT, draft, true, theme, caret, 'Write a message');
    button(context, SEND, 'Send', false, theme);
  }
}

function write(
  context: SKRSContext2D,
  text: string,
  x: number,
  y: number,
  style: string,
  colour: string,
): void {
  context.font = style;
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

function entry(
  context: SKRSContext2D,
  box: Box,
  text: string,
  focused: boolean,
  theme: Theme,
  caret: boolean,
  placeholder = '',
): void {
  context.fillStyle = '#ffffff';
  context.strokeStyle = focused ? theme.accent : '#b8bfcc';
  context.lineWidth = focused ? 2 : 1;
  context.beginPath();
  context.roundRect(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1, 5);
  context.fill();
  context.stroke();
  context.save();
  context.beginPath();
  context.rect(box.x + 4, box.y, box.width - 8, box.height);
  context.clip();
  const baseline = box.y + box.height / 2 + 6;
  if (text === '') write(context, placeholder, box.x + 12, baseline, font(16), '#8a92a3');
  context.font = font(16);
  const width = context.measureText(text).width;
  const shift = Math.max(0, width - (box.width - 28));
  write(context, text, box.x + 12 - shift, baseline, font(16), '#1d2330');
  if (focused && caret) {
    context.fillStyle = '#1d2330';
    context.fillRect(Math.round(box.x + 13 - shift + width), box.y + 10, 1, box.height - 20);
  }
  context.restore();
}

function button(context: SKRSContext2D, box: Box, label: string, focused: boolean, theme: Theme): void {
  context.fillStyle = theme.accent;
  context.beginPath();
  context.roundRect(box.x, box.y, box.width, box.height, 5);
  context.fill();
  if (focused) {
    context.strokeStyle = '#1d2330';
    context.lineWidth = 2;
    context.stroke();
  }
  context.font = font(16, 600);
  const width = context.measureText(label).width;
  write(
    context,
    label,
    box.x + (box.width - width) / 2,
    box.y + box.height / 2 + 6,
    font(16, 600),
    '#ffffff',
  );
}
