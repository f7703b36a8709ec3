import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { findAnomalies } from '../../fixtures/trace/anomalies.ts';
import { guestSampler } from '../../fixtures/trace/sampler.ts';
import { parseWindowsSample } from '../../fixtures/trace/windows.ts';
import { WindowsBoot } from '../../fixtures/trace/windows-boot.ts';
import { isSameWindowsProcess, windowsProcessName } from '../../fixtures/windows/process-name.ts';
import { HARBOR_WINDOWS } from '../../lab/guests/simulated/files.ts';
import { windows } from '../windows/support/guest.ts';

const MINUTE = 60_000;

test('WN15: a name is the same with .exe and without, in any case, with its path', () => {
  for (const name of ['Rocket.Chat', 'Rocket.Chat.exe', 'ROCKET.CHAT.EXE', 'C:\\App\\Rocket.Chat.exe']) {
    expect(isSameWindowsProcess(name, 'rocket.chat.Exe')).toBe(true);
    expect(windowsProcessName(name).toLowerCase()).toBe('rocket.chat');
  }
  expect(isSameWindowsProcess('Rocket', 'Rocket.Chat')).toBe(false);
});

/** What the script prints of processes. */
function sampleOf(rows: readonly { id: number; parent: number; name: string; at: number }[]): string {
  const processes = rows.map(({ id, parent, name, at }) => ({
    ProcessId: id,
    ParentProcessId: parent,
    Name: name,
    CreationDate: `/Date(${at})/`,
    WorkingSetSize: 1024,
    ThreadCount: 1,
    HandleCount: 1,
  }));
  return `{"LastBootUpTime":"/Date(0)/"}\r\n${JSON.stringify(processes)}\r\n10000000\r\n10000000\r\n`;
}

test('WN15: who is older than its parent is nobody’s child, and neither are its own children', () => {
  const rows = [
    { id: 10, parent: 4, name: 'App.exe', at: 1000 },
    { id: 11, parent: 10, name: 'helper.exe', at: 1000 },
    { id: 12, parent: 11, name: 'gpu.exe', at: 1500 },
    { id: 20, parent: 10, name: 'svchost.exe', at: 500 },
    { id: 21, parent: 20, name: 'other.exe', at: 2000 },
  ];
  const { processes } = parseWindowsSample(sampleOf(rows), 'App');
  expect(processes.map(({ comm }) => comm)).toEqual(['App.exe', 'helper.exe', 'gpu.exe']);
});

test('WN15: on the simulated Windows an old process with a reused id is not in the trace', async () => {
  const guest = windows(['reused-ids']);
  guest.processes.spawn({ path: HARBOR_WINDOWS, user: 'tester', session: 'desktop' });
  const traced = { machine: 'm', os: 'windows' as const, ...guest.ssh };
  const sample = await guestSampler(traced, 'HarborChat')();
  expect(sample?.processes.map(({ comm }) => comm)).toEqual(['HarborChat.exe']);
});

test('WN2: the trace of a standard user is taken by the agent, and without one it says what is denied', async () => {
  const guest = windows(['standard-user']);
  guest.processes.spawn({ path: HARBOR_WINDOWS, user: 'tester', session: 'desktop' });
  const traced = { machine: 'm', os: 'windows' as const, ...guest.ssh };
  const sampler = guestSampler(traced, 'HarborChat', guest.asSystem);
  for (const sample of [await sampler(), await sampler()]) expect(sample?.processes).toHaveLength(1);
  await expect(guestSampler(traced, 'HarborChat')()).rejects.toMatchObject({ code: 'GUEST_DENIED' });
});

/** What happens between two looks. */
const event = fc.oneof(
  { arbitrary: fc.constant({ kind: 'none' as const }), weight: 4 },
  {
    arbitrary: fc.record({
      kind: fc.constant('clock' as const),
      by: fc.integer({ min: -90 * 86_400_000, max: 90 * 86_400_000 }),
    }),
    weight: 2,
  },
  {
    arbitrary: fc.record({ kind: fc.constant('pause' as const), for: fc.integer({ min: 0, max: 600_000 }) }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      kind: fc.constant('boot' as const),
      takes: fc.integer({ min: 5000, max: 120_000 }),
    }),
    weight: 1,
  },
);

test('WN9: a boot is a boot, and nothing else is: not a jitter, not a clock that is set, not a machine that stood still', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(event, fc.integer({ min: 100, max: 30_000 }), fc.integer({ min: -900, max: 900 }))),
      (looks) => {
        let [now, uptime, offset] = [0, 10 * MINUTE, 1_700_000_000_000];
        const boot = new WindowsBoot(() => now);
        const names: string[] = [];
        let boots = 0;
        let isFirst = true;
        for (const [what, pause, jitter] of looks) {
          if (what.kind === 'clock') offset += what.by;
          if (what.kind === 'pause') {
            // The guest's clock and its counter stand still alike.
            now += what.for;
            offset -= what.for;
          }
          if (what.kind === 'boot') {
            now += what.takes;
            uptime = 0;
            if (!isFirst) boots++;
          }
          now += pause;
          uptime += pause;
          isFirst = false;
          names.push(
            boot.nameOf({ boot: `/Date(${Math.round(now + offset - uptime + jitter)})/`, uptimeMs: uptime }),
          );
        }
        const changes = names.filter((name, index) => index > 0 && name !== names[index - 1]).length;
        expect(changes).toBe(boots);
      },
    ),
    { numRuns: 500 },
  );
});

test('WN9: on the simulated Windows a clock that is set 60 days ahead is no reboot in the trace', async () => {
  const guest = windows();
  guest.processes.spawn({ path: HARBOR_WINDOWS, user: 'tester', session: 'desktop' });
  const sampler = guestSampler({ machine: 'm', os: 'windows', ...guest.ssh }, 'HarborChat');
  const snapshots = [];
  for (const offset of [0, 0, 60 * 86_400_000, 0]) {
    guest.host.clock.set(Date.now() + offset);
    const sample = await sampler();
    if (sample === null) throw new Error('nothing was seen');
    snapshots.push({
      capturedAt: new Date().toISOString(),
      elapsedMs: snapshots.length,
      pid: 1,
      comm: 'x',
      sample,
    });
  }
  expect(findAnomalies(snapshots).filter(({ kind }) => kind === 'reboot')).toEqual([]);
});
