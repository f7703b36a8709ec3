/**
 * An SSH server that notes what it is sent and answers as scripted.
 *
 * @module
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import { makeHostKey } from '../../../lab/host-key.ts';
import { Secret } from '../../../fixtures/secrets/index.ts';
import { decodedCommand, type SshTarget } from '../../../fixtures/ssh/index.ts';

export interface Reply {
  readonly exitCode: number;
  readonly stdout?: string;
  readonly stderr?: string;
  /** Comes after the exit status; the channel then stays open, as a program in the background keeps it. */
  readonly late?: string;
}

/** The first line of a script, in which PowerShell takes UTF-8 and prints the mark. */
export const MARK_LINE = /^try\{[^\n]*\}catch\{\};'';'(vmwright-[0-9a-f]{16})'\n/;
/** What cmd.exe is given before a command. */
const CMD_MARK = /^echo\(&echo (vmwright-[0-9a-f]{16})&/;
/** The question for the default shell, and what cmd.exe answers. */
const PROBE = 'cmd /c "exit 3"';

export interface Recorder {
  /** Each command line as it came over the wire, without the mark of cmd.exe and the question for the shell. */
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
        const channel = acceptExec();
        if (command === PROBE) {
          channel.exit(3);
          channel.end();
          return;
        }
        const own = command.replace(CMD_MARK, '');
        commands.push(own);
        const { exitCode, stdout = '', stderr = '', late } = reply(own);
        const mark = (MARK_LINE.exec(decodedCommand(command) ?? '') ?? CMD_MARK.exec(command))?.[1];
        if (mark !== undefined) channel.write(`\r\n${mark}\r\n`);
        channel.write(stdout);
        channel.stderr.write(stderr);
        channel.exit(exitCode);
        if (late === undefined) channel.end();
        else channel.write(late);
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
