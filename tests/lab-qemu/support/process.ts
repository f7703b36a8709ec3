/**
 * The lab and the command line as processes.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'dotenv';
import { Agent, fetch } from 'undici';
import { ROOT } from '../../support/runner.ts';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  constructor(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const inherited = { ...process.env, NO_COLOR: '1' };
    delete (inherited as NodeJS.ProcessEnv).FORCE_COLOR;
    this.child = spawn(program, args, {
      cwd: ROOT,
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((done, fail) => {
      this.child.once('error', fail);
      this.child.once('close', (code) => done({ code, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  /** Waits until standard output matches, and gives the first group. */
  async said(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.stdout);
      if (found !== null) return found[1] ?? found[0];
      const more = new Promise<boolean>((done) => this.child.stdout?.once('data', () => done(true)));
      if (!(await Promise.race([more, this.ended.then(() => false)])))
        throw new Error(`ended without saying ${String(pattern)}:\n${this.stdout}${this.stderr}`);
    }
  }
}

export const TSX = ['--import', 'tsx'] as const;

export function vmwright(args: readonly string[], env?: Readonly<Record<string, string>>): Started {
  return new Started(process.execPath, [...TSX, 'cli/main.ts', ...args], env);
}

export function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

/** A client of the lab whose variables are in `file`. */
export class LabClient {
  readonly #env: Record<string, string>;
  readonly #dispatcher: Agent;

  constructor(file: string) {
    this.#env = parse(readFileSync(file));
    const ca = readFileSync(this.#env.PROXMOX_CA_FILE!, 'utf8');
    this.#dispatcher = new Agent({ connect: { ca } });
  }

  async call(method: 'GET' | 'POST', path: string): Promise<unknown> {
    const { PROXMOX_HOST, PROXMOX_PORT, PROXMOX_TOKEN_ID, PROXMOX_TOKEN_SECRET } = this.#env;
    const url = `https://${PROXMOX_HOST}:${PROXMOX_PORT}/api2/json${path}`;
    const headers = { authorization: `PVEAPIToken=${PROXMOX_TOKEN_ID}=${PROXMOX_TOKEN_SECRET}` };
    const response = await fetch(url, { method, headers, dispatcher: this.#dispatcher });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${response.statusText}`);
    return ((await response.json()) as { data: unknown }).data;
  }

  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }
}
