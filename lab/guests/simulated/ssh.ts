/**
 * sshd of a simulated guest: password log-in, exec, SFTP.
 *
 * @module
 */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import { makeHostKey } from '../../host-key.ts';
import { serveSftp } from './sftp.ts';
import type { Shell, ShellHost } from './shell/shell.ts';
import { PASSWORD_AGE_MS } from './windows-ways.ts';

export interface GuestSsh {
  /** Serves one connection. */
  accept(stream: Duplex): void;
  /** Ends every connection. */
  disconnectAll(): void;
}

/** Looks like a path, and the last line has no end. */
const GREETING = '/usr/games/fortune says:\r\n/opt/motd';

/** @param onCommand told each command line, as it came, and `subsystem sftp` for a file transfer */
export function createSshServer(
  host: ShellHost,
  shell: Shell,
  onCommand: (command: string) => void = () => undefined,
): GuestSsh {
  const { definition } = host;
  // Its own, as each machine has, kept over snapshots and restarts.
  const hostKey = makeHostKey();
  const streams = new Set<Duplex>();
  const server = new ssh2.Server({ hostKeys: [hostKey], ident: 'OpenSSH_9.2' }, (client) => {
    client.on('authentication', (context) => {
      const isKnown = context.username === definition.user;
      const isRight = context.method === 'password' && isKnown && context.password === definition.password;
      const age = host.clock.now() - host.passwordAt().getTime();
      const isExpired = host.faults.has('password-expires') && age > PASSWORD_AGE_MS;
      if (isRight && !isExpired && !host.faults.has('booting')) context.accept();
      else context.reject(['password']);
    });
    client.on('error', () => client.end());
    client.on('session', (accept) => {
      const session = accept();
      session.on('sftp', (acceptSftp) => {
        onCommand('subsystem sftp');
        serveSftp(acceptSftp(), host);
      });
      session.on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        onCommand(command);
        const closed = new AbortController();
        channel.on('close', () => closed.abort());
        channel.on('error', () => closed.abort());
        if (host.faults.has('shell-prints')) channel.write(GREETING);
        run(shell, definition.user, command, channel, closed.signal).catch((error: unknown) => {
          channel.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
          channel.exit(255);
          channel.end();
        });
      });
    });
  });
  return {
    accept(stream) {
      streams.add(stream);
      stream.on('close', () => streams.delete(stream));
      // ssh2 asks for a Socket and uses what every Duplex has.
      (server.injectSocket as (stream: Duplex) => void).call(server, stream);
    },
    disconnectAll: () => streams.forEach((stream) => stream.destroy()),
  };
}

async function run(
  shell: Shell,
  user: string,
  command: string,
  channel: ssh2.ServerChannel,
  signal: AbortSignal,
): Promise<void> {
  const stdin = readsInput(command) ? await readAll(channel) : '';
  const result = await shell.exec({ command, stdin, user, session: 'ssh', signal });
  if (signal.aborted) return;
  const { stdout, stderr } = result.raw ?? result;
  if (stdout.length > 0) channel.write(stdout);
  if (stderr.length > 0) channel.stderr.write(stderr);
  if (result.exitCode === undefined) channel.exit(result.signal ?? 'TERM', false, '');
  else channel.exit(result.exitCode);
  channel.end();
}

/** What reads its input to the end; for the rest nobody waits. */
function readsInput(command: string): boolean {
  const encoded = /-EncodedCommand ([A-Za-z0-9+/=]+)/.exec(command)?.[1];
  if (encoded !== undefined) return Buffer.from(encoded, 'base64').toString('utf16le').includes('$input');
  return /\bcat\b|\bread\b|\btee\b/.test(command);
}

async function readAll(channel: ssh2.ServerChannel): Promise<string> {
  // Not by `for await`: at its end that destroys the channel, which the result still has to go through.
  const chunks: Buffer[] = [];
  channel.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(channel, 'end');
  return Buffer.concat(chunks).toString('utf8');
}
