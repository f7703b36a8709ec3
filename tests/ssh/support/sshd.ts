/**
 * OpenSSH's own server, for one test: a random loopback port, its own keys and configuration.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { userInfo } from 'node:os';
import type { SshTarget } from '../../../fixtures/ssh/index.ts';

type KeyType = 'ed25519' | 'ecdsa' | 'rsa';

export interface SshdOptions {
  readonly port?: number;
  /** A loopback address. Default 127.0.0.1. */
  readonly address?: string;
  /** Name of the host key's file; a name that exists keeps its key. Default `host`. */
  readonly hostKey?: string;
  readonly keyType?: KeyType;
  /** Types of further host keys. */
  readonly also?: readonly KeyType[];
  /** More lines of its configuration. */
  readonly lines?: readonly string[];
  /** The program that serves SFTP. Default: sshd itself, without the user's shell. */
  readonly sftp?: string;
}

export const USER = userInfo().username;
const START_MS = 15_000;

/** Makes a key pair unless it is there; the path of the private half. */
export function makeKey(folder: string, name: string, type = 'ed25519'): string {
  const file = join(folder, name);
  try {
    readFileSync(file);
  } catch {
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', file]);
  }
  return file;
}

/** `SHA256:...`, as ssh-keygen itself says. */
export function fingerprintOf(keyFile: string): string {
  return execFileSync('ssh-keygen', ['-l', '-f', `${keyFile}.pub`], { encoding: 'utf8' }).split(' ')[1] ?? '';
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export class Sshd {
  readonly port: number;
  readonly hostKeyFile: string;
  readonly #folder: string;
  readonly #process: ChildProcess;
  #log = '';

  /** @param program path of sshd @param folder holds keys, configuration and the users' known_hosts */
  static async start(program: string, folder: string, options: SshdOptions = {}): Promise<Sshd> {
    const sshd = new Sshd(program, folder, options.port ?? (await freePort()), options);
    const end = performance.now() + START_MS;
    while (!sshd.#log.includes('Server listening on ')) {
      if (sshd.#process.exitCode !== null || performance.now() > end)
        throw new Error(`sshd did not start:\n${sshd.#log}`);
      await new Promise((done) => setTimeout(done, 20));
    }
    return sshd;
  }

  private constructor(program: string, folder: string, port: number, options: SshdOptions) {
    this.#folder = folder;
    this.port = port;
    this.hostKeyFile = makeKey(folder, options.hostKey ?? 'host', options.keyType);
    const config = join(folder, `sshd-${options.address ?? ''}-${port}.conf`);
    writeFileSync(
      config,
      [
        `Port ${port}`,
        `ListenAddress ${options.address ?? '127.0.0.1'}`,
        `HostKey ${this.hostKeyFile}`,
        ...(options.also ?? []).map((type) => `HostKey ${makeKey(folder, `also-${type}`, type)}`),
        ...(options.lines ?? []),
        'PidFile none',
        `AuthorizedKeysFile ${makeKey(folder, 'user')}.pub`,
        'PasswordAuthentication no',
        'PermitRootLogin yes',
        'StrictModes no',
        'UsePAM no',
        `Subsystem sftp ${options.sftp ?? 'internal-sftp'}`,
        // bash under sshd reads ~/.bashrc: what the developer has in it is none of the tests' business.
        `SetEnv HOME=${folder}`,
        '',
      ].join('\n'),
    );
    // As root, sshd asks for the folder of its privilege separation.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
    this.#process = spawn(program, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    this.#process.on('error', (error) => (this.#log += String(error)));
  }

  get log(): string {
    return this.#log;
  }

  /** How many processes serve connections or run under them. */
  get processes(): number {
    return descendants(this.#process.pid ?? 0).length;
  }

  get fingerprint(): string {
    return fingerprintOf(this.hostKeyFile);
  }

  get knownHosts(): string {
    return join(this.#folder, 'known_hosts');
  }

  /** The way in, with the right key. */
  target(rest: Partial<SshTarget> = {}): SshTarget {
    return {
      machine: 'box',
      os: 'linux',
      host: '127.0.0.1',
      port: this.port,
      user: USER,
      privateKey: readFileSync(join(this.#folder, 'user'), 'utf8'),
      hostKeys: { policy: 'accept-new', file: this.knownHosts },
      ...rest,
    };
  }

  /** Signals the processes that serve connections, and what runs under them: a machine that crashes or freezes. */
  signalConnections(signal: NodeJS.Signals): void {
    for (const pid of descendants(this.#process.pid ?? 0)) {
      try {
        process.kill(pid, signal);
      } catch {
        // It ended by itself in the meantime.
      }
    }
  }

  async stop(): Promise<void> {
    this.signalConnections('SIGKILL');
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }
}

function descendants(pid: number): number[] {
  let children: number[];
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
  return children.flatMap((child) => [child, ...descendants(child)]);
}
