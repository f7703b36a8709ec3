import { once } from 'node:events';
import { existsSync, utimesSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from '@playwright/test';
import { VmwrightError } from '../../fixtures/errors.ts';
import {
  connectOnce,
  deadClusterFile,
  forgetDeadClusters,
  REMEMBERED_MS,
} from '../../fixtures/proxmox/dead-cluster.ts';
import { startLab } from '../../lab/index.ts';
import { foldJournal } from '../../runs/model.ts';
import { runOnLab } from '../support/lab-project.ts';
import { begin, ended, over } from './support.ts';

const detailOf = (...excerpts: readonly string[]): string | undefined => {
  const ends = excerpts.map((excerpt, index) =>
    ended('a', 'failed', { test: `t${index}`, failure: { short: excerpt.split('\n')[0] ?? '', excerpt } }),
  );
  return foldJournal([begin([{ host: 'a' }]), ...ends, over]).hosts[0]?.detail;
};

test('VE20: HOSTS tells a machine that was unavailable apart from one whose test failed', () => {
  const away = 'VmwrightError: [SSH_UNREACHABLE] a: sshd does not answer\n  seen: nothing';
  expect(detailOf(away)).toBe('unavailable: [SSH_UNREACHABLE] a: sshd does not answer');
  expect(detailOf('Error: expected 2')).toBe('test "t0" - Error: expected 2');
  expect(detailOf('Error: a log that quotes [SSH_UNREACHABLE] ')).toMatch(/^test "t0" - /);
  // One failure that may be the application's is enough, wherever it stands.
  expect(detailOf(away, 'Error: expected 2')).toBe('test "t1" - Error: expected 2');
});

test('VE20: a dead cluster is asked once a run, and by the next run again', async ({}, testInfo) => {
  const folder = testInfo.outputPath('shared');
  let asked = 0;
  const dead = (): Promise<never> => {
    asked++;
    const error = {
      code: 'PROXMOX_UNREACHABLE',
      subject: 'Proxmox at a:1',
      message: 'no answer',
      seen: 'x',
      next: 'y',
    };
    return Promise.reject(new VmwrightError(error));
  };
  const at = (run: string, cluster = 'a:1'): Parameters<typeof connectOnce>[0] => ({ folder, run, cluster });
  const messages: string[] = [];
  for (let attempt = 0; attempt < 3; attempt++)
    await connectOnce(at('one'), dead).catch((error: unknown) => messages.push(String(error)));
  expect(asked).toBe(1);
  expect(new Set(messages).size).toBe(1);
  expect(messages).toHaveLength(3);
  expect(await connectOnce(at('two'), () => Promise.resolve('up'))).toBe('up');
  expect(await connectOnce(at('one', 'b:1'), () => Promise.resolve('up'))).toBe('up');
  // A process that runs again and again, in UI mode, asks in each run, and after some minutes in any case.
  forgetDeadClusters(folder);
  await connectOnce(at('one'), dead).catch(() => undefined);
  expect(asked).toBe(2);
  const old = new Date(Date.now() - REMEMBERED_MS - 1_000);
  utimesSync(deadClusterFile(at('one')), old, old);
  expect(await connectOnce(at('one'), () => Promise.resolve('up'))).toBe('up');
  // What is refused otherwise is no dead cluster.
  const refused = new VmwrightError({ code: 'PROXMOX_AUTH_FAILED', subject: 's', message: 'm' });
  await connectOnce(at('three'), () => Promise.reject(refused)).catch(() => undefined);
  expect(existsSync(deadClusterFile(at('three')))).toBe(false);
});

test('VE20: a real run on a dead cluster asks it once for all of its tests, and says unavailable; the next run works', async ({}, testInfo) => {
  let connections = 0;
  const dead = createServer((socket) => {
    connections++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(dead, 'listening');
  const { port } = dead.address() as AddressInfo;
  const lab = await startLab({ guests: ['fedora42'] });
  try {
    const folder = testInfo.outputPath('p');
    const specOf = (...names: readonly string[]): string =>
      names
        .map((name) => `test('${name}', async ({ proxmox }) => { expect(proxmox.release).toMatch(/^9/); });`)
        .join('\n');
    const env = { PROXMOX_PORT: String(port) };
    await runOnLab(lab, `${folder}1`, { spec: specOf('a'), env });
    const ofOneTest = connections;
    connections = 0;
    const down = await runOnLab(lab, `${folder}2`, { spec: specOf('a', 'b', 'c'), env });
    expect(down.summary).toMatch(/\nfedora42 - FAIL - unavailable: \[PROXMOX_UNREACHABLE\] Proxmox at /);
    expect(down.output).toContain('3 failed');
    expect(connections).toBe(ofOneTest);
    const up = await runOnLab(lab, `${folder}3`, { spec: specOf('a') });
    expect(up.summary).toMatch(/\nfedora42 - PASS/);
  } finally {
    await lab.stop();
    dead.close();
  }
});
