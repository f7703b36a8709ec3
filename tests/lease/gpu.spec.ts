/** One GPU and several machines, through the real runner. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { type Lab, startLab } from '../../lab/index.ts';
import { type LabRunOptions, runOnLab } from '../support/lab-project.ts';
import { watchDevices } from './support/devices.ts';

let lab: Lab;
/** VMs that had the GPU in their config, each time one got it. */
let holders: () => readonly (readonly string[])[];
test.beforeEach(async () => {
  lab = await startLab({ guests: ['fedora42', 'ubuntu2204', 'windows11'] });
  holders = watchDevices(lab, ['fedora42', 'ubuntu2204', 'windows11']);
});
test.afterEach(async () => {
  await lab.stop();
});

const MACHINES = ['fedora42', 'ubuntu2204', 'windows11'];

/** The whole matrix with one GPU for all; of it, the project. */
function onGpu(project: string, options: Omit<LabRunOptions, 'machines' | 'args'>): LabRunOptions {
  return {
    machines: MACHINES,
    args: [`--project=${project}`],
    change: `row.gpu = { mapping: 'gpu' }; row.reset = 'none';`,
    ...options,
  };
}

/** What was changed, in order: `PUT 101 delete=hostpci0`, `POST 102 start`. The notes are left out. */
function changes(): string[] {
  return lab.requests.flatMap(({ method, path, body }) => {
    const [, vmid, action = ''] = /\/qemu\/(\d+)\/(?:status\/)?(.+)$/.exec(path) ?? [];
    if (method === 'PUT' && action === 'config') {
      const keys = decodeURIComponent(body).split('&');
      const device = keys.find((key) => key.includes('hostpci'));
      return device === undefined ? [] : [`PUT ${vmid} ${device}`];
    }
    if (method !== 'POST' || /^(agent\/ping|vncproxy)$/.test(action)) return [];
    const command = new URLSearchParams(body).getAll('command').join(' ');
    return [
      `POST ${vmid} ${command === '' ? action : (/lspci -n|Get-PnpDevice|date/.exec(command)?.[0] ?? command)}`,
    ];
  });
}

const SEES_IT = `
test('sees it', async ({ ssh }) => {
  expect((await ssh.exec('lspci -n -d 10de:2684')).stdout).toContain('10de:2684');
});`;

test('M40, P-M26: a second run waits for the GPU; then it moves: off the owner, on to the target, seen by lspci', async ({}, info) => {
  test.slow(); // two runs
  const gate = info.outputPath('go');
  let second: ReturnType<typeof runOnLab> | undefined;
  const waits: string[] = [];
  const first = await runOnLab(
    lab,
    info.outputPath('first'),
    onGpu('fedora42', {
      spec: `
test('works long', async ({ ssh }) => {
  const { existsSync } = await import('node:fs');
  console.log('WORKING');
  while (!existsSync('${gate}')) await ssh.exec('true');
  expect((await ssh.exec('lspci -n')).stdout).toContain('10de:2684');
});`,
      onOutput(text) {
        if (!/^WORKING$/m.test(text)) return;
        second = runOnLab(
          lab,
          info.outputPath('second'),
          onGpu('ubuntu2204', {
            spec: SEES_IT,
            onOutput(told) {
              if (!told.includes('GPU "gpu" (0000:01:00) on pve is held by VM 101 (fedora42): run ')) return;
              waits.push(...changes());
              writeFileSync(gate, '');
            },
          }),
        );
      },
    }),
  );
  expect(first.output).toContain('1 passed');
  expect((await second!).output).toContain('1 passed');
  const toFirst = ['POST 101 shutdown', 'PUT 101 hostpci0=mapping=gpu,pcie=1', 'POST 101 start'];
  // While the second waited nothing was done to any machine.
  expect(waits).toEqual([...toFirst, 'POST 101 lspci -n', 'POST 101 date']);
  expect(changes().slice(waits.length)).toEqual([
    'POST 101 shutdown',
    'PUT 101 delete=hostpci0',
    'POST 101 start',
    'POST 102 shutdown',
    'PUT 102 hostpci0=mapping=gpu,pcie=1',
    'POST 102 start',
    'POST 102 lspci -n',
    'POST 102 date',
  ]);
  expect(holders()).toEqual([['fedora42'], ['ubuntu2204']]);
  expect(lab.machine('ubuntu2204').config.description).toBeUndefined();
});

test('two projects of one run take turns, Linux and Windows', async ({}, info) => {
  test.slow(); // two machines, one after the other
  const run = await runOnLab(lab, info.outputPath('p'), {
    machines: ['fedora42', 'windows11'],
    change: `row.gpu = { mapping: 'gpu' }; row.reset = 'none';`,
    args: ['--workers=2'],
    spec: `
test('works', async ({ vm }, info) => {
  const { appendFileSync } = await import('node:fs');
  appendFileSync('${info.outputPath('turns')}', 'begin ' + info.project.name + '\\n');
  for (let i = 0; i < 20; i++) await vm.status();
  appendFileSync('${info.outputPath('turns')}', 'end ' + info.project.name + '\\n');
});
test('sees it', async ({ ssh, machine }) => {
  const { stdout } = machine.os === 'linux'
    ? await ssh.exec('lspci -n')
    : await ssh.powershell(ps\`Get-PnpDevice -PresentOnly | Select-Object -ExpandProperty InstanceId\`);
  expect(stdout).toMatch(/10de:2684|VEN_10DE&DEV_2684/);
});`,
  });
  expect(run.output).toContain('4 passed');
  const turns = readFileSync(info.outputPath('turns'), 'utf8').trim().split('\n');
  expect(turns.map((line) => line.split(' ')[0])).toEqual(['begin', 'end', 'begin', 'end']);
  expect(turns[0]!.split(' ')[1]).toBe(turns[1]!.split(' ')[1]);
  expect(holders()).toHaveLength(2);
  expect(holders().flat().sort()).toEqual(['fedora42', 'windows11']);
});

test('with a checkpoint each test starts from it, with the GPU, however the snapshot was taken', async ({}, info) => {
  const run = await runOnLab(lab, info.outputPath('p'), {
    machines: ['fedora42'],
    change: `row.gpu = { mapping: 'gpu' };`,
    spec: SEES_IT + SEES_IT.replace('sees it', 'and again'),
  });
  expect(run.output).toContain('2 passed');
  const rollbacks = lab.tasks.list().filter(({ type }) => type === 'qmrollback');
  expect(rollbacks).toHaveLength(2);
  expect(new Set(holders().flat())).toEqual(new Set(['fedora42']));
});
