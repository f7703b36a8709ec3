/**
 * Windows Installer, and what its exit codes say: not each that is not zero is a failure.
 *
 * @module
 */
import { ps, type SshSession, test, type Vm, VmwrightError } from '../fixtures/index.ts';

/** Of Microsoft's list of MsiExec error messages. */
const RESTART_REQUIRED = 3010;
const RESTART_INITIATED = 1641;
const ALREADY_RUNNING = 1618;
const INSTALL_FAILURE = 1603;
/** Of its list of error messages: "You do not have sufficient privileges to complete this installation for all users". */
const FOR_ALL_USERS = /\b1925\. /;
/** For an installer to end, before the machine's scale. Milliseconds. */
const INSTALL_MS = 600_000;

type Script = ReturnType<typeof ps>;
type ExecResult = Pick<Awaited<ReturnType<SshSession['powershell']>>, 'exitCode' | 'stdout' | 'stderr'>;

/** What it takes to install as SYSTEM, and to restart the machine; `Vm` has it. */
interface Restartable {
  readonly agent: Pick<Vm['agent'], 'exec' | 'waitReady' | 'waitSilent'>;
  reboot(): Promise<void>;
  away(action: () => Promise<void>): Promise<void>;
}

export interface OnWindows {
  readonly machine: { readonly name: string };
  readonly ssh: Pick<SshSession, 'powershell' | 'disconnect'>;
  readonly vm?: Restartable | undefined;
}

/**
 * Installs a package that lies in the guest, and restarts it where the package wants that and the caller too. What the
 * user may not install for all users is installed by the guest agent, as SYSTEM.
 *
 * @throws `INSTALLER_BUSY`, `GUEST_DENIED`, `SSH_COMMAND_FAILED` with the installer's exit code
 */
export async function installMsi(
  { machine, ssh, vm }: OnWindows,
  { path, restart }: { readonly path: string; readonly restart: boolean },
): Promise<void> {
  const script = installScript(path);
  let result: ExecResult = await ssh.powershell(script, { check: false, timeout: INSTALL_MS });
  if (result.exitCode === INSTALL_FAILURE && FOR_ALL_USERS.test(result.stdout)) {
    if (vm === undefined) throw denied(machine.name, path, result);
    result = await bySystem(vm, script);
  }
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

/** Ends with the installer's exit code, after its error messages. Without an exit code it did not run. */
function installScript(path: string): Script {
  return ps`$ErrorActionPreference = 'Stop'
$log = $env:TEMP + '\\vmwright-install.log'
Remove-Item -LiteralPath $log -Force -ErrorAction SilentlyContinue
& 'msiexec.exe' '/i' ${path} '/qn' '/norestart' '/le' $log | ForEach-Object { $_ }
$code = $LASTEXITCODE
if ($code -ne 0 -and (Test-Path -LiteralPath $log)) { Get-Content -LiteralPath $log }
exit $code`;
}

/** Base64, as the agent takes plain ASCII only. */
async function bySystem({ agent }: Restartable, { wire }: Script): Promise<ExecResult> {
  const encoded = Buffer.from(wire, 'utf16le').toString('base64');
  const command = ['powershell.exe', '-NoProfile', '-NonInteractive', '-EncodedCommand', encoded];
  return agent.exec(command, { timeout: INSTALL_MS });
}

function denied(machine: string, path: string, { stdout }: ExecResult): VmwrightError {
  return new VmwrightError({
    code: 'GUEST_DENIED',
    subject: `${machine}, ${path}`,
    message: 'the package installs for all users, which the user of the row may not',
    expected: 'an administrator, or the guest agent, which is SYSTEM',
    seen: `exit code ${INSTALL_FAILURE} of msiexec: ${stdout.trim()}`,
    next: 'call installPackage with { machine, ssh, vm }, so that the guest agent does it, or make the user an administrator; see "Windows guests" in the documentation',
  });
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
