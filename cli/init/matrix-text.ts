/**
 * vm-matrix.ts as text, from what a cluster shows. What it says of itself is foreign: it becomes names, or comments.
 *
 * @module
 */
import type { FoundVm } from './cluster.ts';
import { oneWord } from './word.ts';

interface Row extends FoundVm {
  /** Of the project: unique, one word. */
  readonly project: string;
  /** Variable that holds the user's password. */
  readonly secret: string;
}

/** The names of the variables that hold the guest users' passwords. */
export function secretNames(machines: readonly FoundVm[]): readonly string[] {
  return rowsOf(machines).map(({ secret }) => secret);
}

export function matrixText(machines: readonly FoundVm[]): string {
  const rows = rowsOf(machines);
  const systems = [...new Set(rows.map(({ guess }) => guess.os))];
  return `/**
 * The OS matrix: one row a machine. Each row is a Playwright project: \`npx playwright test --project=${rows[0]?.project ?? ''}\`.
 *
 * Made from the cluster by \`vmwright init --from-cluster\`: take out what is not to be tested, and look at user,
 * desktop and application. Secrets stand here by NAME: the values come from the environment or .env.
 */
import { defineMatrix, type MachineRow } from 'vmwright/matrix';

${systems.map((os) => APPLICATIONS[os]).join('\n')}
export default defineMatrix([
${rows.map(rowText).join('')}]);
`;
}

const APPLICATIONS = {
  linux: `/** The application under test, as it is on Linux. */
const onLinux: MachineRow['application'] = {
  title: 'My Application',
  path: '/opt/my-application/my-application',
  process: 'my-application',
};
`,
  windows: `/** The application under test, as it is on Windows. */
const onWindows: MachineRow['application'] = {
  title: 'My Application',
  path: String.raw\`C:\\Program Files\\My Application\\MyApplication.exe\`,
  process: 'MyApplication.exe',
};
`,
} as const;

function rowText(row: Row): string {
  const { guess, hardware } = row;
  const isWindows = guess.os === 'windows';
  const says = row.saysAgent ? ', says its guest agent' : ': no guest agent answered';
  const remarks = [
    `${comment(row.system)}${says}.`,
    ...(guess.isKnown ? [] : ['Desktop and session are a guess.']),
    ...(hardware.vga === 'std' ? [] : [`Its display is ${comment(hardware.vga)}: vmwright needs std.`]),
    ...(isWindows || hardware.machine.includes('q35') ? [] : ['Its machine type is not q35.']),
  ];
  return `  // ${remarks.join(' ')}
  {
    name: '${row.project}',
    vm: ${row.vmid},
    os: '${guess.os}',
    desktop: '${guess.desktop}',
    session: '${guess.session}',
    family: '${guess.family}',
    hardware: { vga: 'std'${isWindows ? '' : ", machine: 'q35'"} },
    user: 'tester',
    secrets: { password: '${row.secret}' },
    application: ${isWindows ? 'onWindows' : 'onLinux'},
    ${row.checkpoint === undefined ? "// Once it has a snapshot: checkpoint: 'ready'," : `checkpoint: ${quoted(row.checkpoint)},`}
  },
`;
}

/** Each machine with a project name of its own: VM names need not be unique. */
function rowsOf(machines: readonly FoundVm[]): readonly Row[] {
  const taken = new Set<string>();
  return machines.map((machine) => {
    const word = oneWord(machine.name);
    const isFree = word !== '' && !taken.has(word);
    const project = isFree ? word : [...(word === '' ? ['vm'] : [word]), machine.vmid].join('-');
    taken.add(project);
    const name = project.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_');
    return { ...machine, project, secret: `${/^[A-Z]/.test(name) ? '' : 'VM_'}${name}_PASSWORD` };
  });
}

/** One line, whatever the guest calls itself. */
function comment(foreign: string): string {
  return foreign
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, 80);
}

/** A JavaScript string in single quotes. */
function quoted(value: string): string {
  return `'${JSON.stringify(value)
    .slice(1, -1)
    .replaceAll(String.raw`\"`, '"')
    .replaceAll("'", String.raw`\'`)}'`;
}
