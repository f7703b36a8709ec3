/**
 * Windows Installer, and what its exit codes say: not each that is not zero is a failure.
 *
 * @module
 */
import { nativeCall, type SshSession, test, VmwrightError } from '../fixtures/index.ts';

/** Of Microsoft's list of MsiExec error messages. */
const RESTART_REQUIRED = 3010;
const RESTART_INITIATED = 1641;
const ALREADY_RUNNING = 1618;

type ExecResult = Awaited<ReturnType<SshSession['powershell']>>;

/** What it takes to restart the machine; `Vm` has it. */
interface Restartable {
  readonly agent: { waitReady(): Promise<void>; waitSilent(): Promise<void> };
  reboot(): Promise<void>;
  away(action: () => Promise<void>): Promise<void>;
}

export interface OnWindows {
  readonly machine: { readonly name: string };
  readonly ssh: Pick<SshSession, 'powershell' | 'disconnect'>;
  readonly vm?: Restartable | undefined;
}

/**
 * Installs a package that lies in the guest, and restarts it where the package wants that and the caller too.
 *
 * @throws `INSTALLER_BUSY`, `SSH_COMMAND_FAILED` with the installer's exit code
 */
export async function installMsi(
  { machine, ssh, vm }: OnWindows,
  { path, restart }: { readonly path: string; readonly restart: boolean },
): Promise<void> {
  const result = await ssh.powershell(nativeCall('msiexec.exe', ['/i', path, '/qn', '/norestart']), {
    check: false,
  });
  const { exitCode } = result;
  if (exitCode === 0) return;
  if (exitCode === ALREADY_RUNNING) throw busy(machine.name, path);
  if (exitCode !== RESTART_REQUIRED && exitCode !== RESTART_INITIATED)
    throw failed(machine.name, path, result);
  if (exitCode === RESTART_INITIATED) {
    // It does so by itself, whatever was asked.
    await vm?.away(async () => {
      await vm.agent.waitSilent();
      await vm.agent.waitReady();
    });
    ssh.disconnect();
    return;
  }
  if (!restart) {
    const description = `${machine.name}: ${path} is installed, and complete only after a restart (exit code 3010); installPackage with { restart: true } does that`;
    test.info().annotations.push({ type: 'warning', description });
    return;
  }
  if (vm === undefined)
    throw new TypeError('install-package needs vm to restart: call it with { machine, ssh, vm }');
  await vm.reboot();
  await vm.agent.waitReady();
  ssh.disconnect();
}

function busy(machine: string, path: string): VmwrightError {
  return new VmwrightError({
    code: 'INSTALLER_BUSY',
    subject: `${machine}, ${path}`,
    message: 'another installation is running in the guest',
    expected: 'an installer that nobody else uses',
    seen: 'exit code 1618 of msiexec (ERROR_INSTALL_ALREADY_RUNNING)',
    next: 'wait for the updates that Windows installs by itself, or pause them before the checkpoint is taken',
  });
}

function failed(machine: string, path: string, { exitCode, stdout, stderr }: ExecResult): VmwrightError {
  const said = `${stderr} ${stdout}`.trim();
  return new VmwrightError({
    code: 'SSH_COMMAND_FAILED',
    subject: `${machine}, msiexec /i ${path}`,
    message: `the installer failed with exit code ${exitCode ?? 'none'}`,
    expected: 'exit code 0, 3010 or 1641',
    seen: `exit code ${exitCode ?? 'none'}${said === '' ? '' : `: ${said}`}`,
    next: String.raw`run it by hand with /l*v C:\install.log, and read what the log says before "return value 3"`,
  });
}
