/**
 * An SSH server that notes what it is sent and answers as scripted.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import { makeHostKey } from '../../../lab/host-key.ts';
import { Secret } from '../../../fixtures/config/secrets.ts';
import type { SshTarget } from '../../../fixtures/ssh/index.ts';

export interface Reply {
  readonly exitCode: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

export interface Recorder {
  /** Each command line as it came over the wire. */
  readonly commands: readonly string[];
  readonly target: SshTarget;
  close(): Promise<void>;
}

export async function startRecorder(reply: (command: string) => Reply): Promise<Recorder> {
  const commands: string[] = [];
  const hostKey = makeHostKey();
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (context) => context.accept());
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        commands.push(command);
        const { exitCode, stdout = '', stderr = '' } = reply(command);
        const channel = acceptExec();
        channel.write(stdout);
        channel.stderr.write(stderr);
        channel.exit(exitCode);
        channel.end();
      });
    });
  });
  // Nothing goes out before the turn of the event loop is over: answer and exit status come in one piece.
  const listener = createServer((socket) => {
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (...args: unknown[]): boolean => {
      socket.cork();
      setImmediate(() => socket.uncork());
      return write(...args);
    };
    server.injectSocket(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    commands,
    target: {
      machine: 'recorder',
      os: 'windows',
      host: '127.0.0.1',
      port: (listener.address() as AddressInfo).port,
      user: 'tester',
      password: new Secret('RECORDER_PASSWORD', 'any-password'),
      hostKeys: { policy: 'off', file: '/nonexistent' },
    },
    async close() {
      listener.close();
      await once(listener, 'close');
    },
  };
}
