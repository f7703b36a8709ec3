/**
 * Commands that touch the desktop: the demo application, systemd-run, gsettings.
 *
 * @module
 */
import { type Command, defineCommand } from 'just-bash';
import { HARBOR_LINUX, HARBOR_VERSION } from '../files.ts';
import type { Caller } from './process-commands.ts';
import type { ShellHost } from './shell.ts';

/** What Electron says when it is started without a display. */
const NO_DISPLAY = `[ERROR:ozone_platform_x11.cc(244)] Missing X server or $DISPLAY
[ERROR:env.cc(257)] The platform failed to initialize.  Exiting.
`;

export function desktopCommands(host: ShellHost, caller: Caller): Command[] {
  return [
    defineCommand('harbor-chat-program', (args) => {
      if (args.includes('--version')) return result(0, `${HARBOR_VERSION}\n`);
      const { pid } = host.processes.spawn({
        path: HARBOR_LINUX,
        args,
        user: caller.user,
        session: caller.session,
      });
      // Started over SSH it belongs to no desktop session and finds no screen.
      host.processes.exit(pid, 1);
      return result(1, '', NO_DISPLAY);
    }),
    defineCommand('systemd-run', async (args) => {
      const words = [...args];
      let isUser = false;
      let unit = 'run-u1.service';
      while (words[0]?.startsWith('-')) {
        const flag = words.shift() ?? '';
        isUser ||= flag === '--user';
        if (flag.startsWith('--unit='))
          unit = `${flag.slice('--unit='.length).replace(/\.service$/, '')}.service`;
        if (flag === '--') break;
      }
      const [path, ...rest] = words;
      if (path === undefined) return result(1, '', 'Command line to execute required.\n');
      if (!isUser)
        return result(
          1,
          '',
          'Failed to start transient service unit: Interactive authentication required.\n',
        );
      if (!(await host.disk.exists(path)))
        return result(1, '', `Failed to find executable ${path}: No such file or directory\n`);
      if (path === HARBOR_LINUX && host.definition.session === 'wayland') relaunchForX11(host, caller);
      else host.processes.spawn({ path, args: rest, user: caller.user, session: 'desktop' });
      return result(0, '', `Running as unit: ${unit}\n`);
    }),
    defineCommand('gsettings', (args) => result(0, args[0] === 'get' ? 'false\n' : '')),
  ];
}

/** Electron that was not started by the Wayland desktop itself starts again for X11, without its cookie. */
function relaunchForX11({ processes, journal }: ShellHost, { user }: Caller): void {
  const args = ['--ozone-platform=x11'];
  const { pid, comm } = processes.spawn({ path: HARBOR_LINUX, args, user, session: 'ssh' });
  journal.append(comm, pid, 'Authorization required, but no authorization protocol specified');
  journal.append(comm, pid, NO_DISPLAY.trim());
  processes.exit(pid, 1);
}

function result(
  exitCode: number,
  stdout = '',
  stderr = '',
): Promise<{ stdout: string; stderr: string; exitCode: number }> {
  return Promise.resolve({ stdout, stderr, exitCode });
}
