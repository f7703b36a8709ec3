/**
 * The lab as an entry of a Playwright config. Light: a config is read again by every worker.
 *
 * @module
 */
import { join } from 'node:path';

export interface LabServerOptions {
  /** Names of the simulated guests to offer. Default: all seven. */
  readonly guests?: readonly string[];
  /** Offer the real guest `debian12` too, if its image is built (`npx vmwright lab build`). Default: false. */
  readonly qemu?: boolean;
}

/** What Playwright calls a web server: a command, and when it is ready. */
export interface LabServer {
  readonly command: string;
  readonly wait: { readonly stdout: RegExp };
  readonly gracefulShutdown: { readonly signal: 'SIGTERM'; readonly timeout: number };
  readonly timeout: number;
}

/** The first start of the real guest builds its ready state under software emulation. Milliseconds. */
const START_TIMEOUT = 600_000;
const STOP_TIMEOUT = 10_000;

/**
 * Starts the embedded lab before the tests and ends it after them. Its address reaches the tests as `VMWRIGHT_LAB_ENV`.
 *
 *     ...(readEnvironment().PROXMOX_HOST ? {} : { webServer: labServer() }),
 */
export function labServer(options: LabServerOptions = {}): LabServer {
  const { guests, qemu = false } = options;
  const isSource = import.meta.filename.endsWith('.ts');
  const words = [
    process.execPath,
    ...(isSource ? ['--import', 'tsx'] : []),
    join(import.meta.dirname, isSource ? 'serve.ts' : 'serve.js'),
    ...(guests === undefined ? [] : ['--guests', guests.join(',')]),
    ...(qemu ? ['--qemu'] : []),
  ];
  return {
    // A process of its own, not `npx`: the lab ends when whoever started it is gone.
    command: words.map(quoted).join(' '),
    wait: { stdout: /vmwright lab ready: env=(?<VMWRIGHT_LAB_ENV>.+)/ },
    gracefulShutdown: { signal: 'SIGTERM', timeout: STOP_TIMEOUT },
    timeout: START_TIMEOUT,
  };
}

/** One word for the shell that Playwright starts: cmd.exe or sh. */
function quoted(word: string): string {
  if (/^[\w@%+:,./=-]+$/.test(word)) return word;
  return process.platform === 'win32' ? `"${word}"` : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
