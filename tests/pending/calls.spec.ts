/**
 * Calls under way, without a machine.
 */
import { expect, test, type TestInfo } from '@playwright/test';
import { Secret } from '../../fixtures/secrets/index.ts';
import {
  type Call,
  CallLog,
  endCalls,
  noteSeen,
  stillWaiting,
  tracked,
} from '../../fixtures/pending/index.ts';

type Ended = Pick<TestInfo, 'status' | 'expectedStatus' | 'errors' | 'file'>;

function ending(status: TestInfo['status']): Ended & TestInfo {
  return { status, expectedStatus: 'passed', errors: [], file: import.meta.filename } as unknown as Ended &
    TestInfo;
}

const forever = (): Promise<never> => new Promise(() => undefined);

/** Lets everything happen that is about to. */
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

class Hand {
  wait(...args: unknown[]): Promise<never> {
    return args.length < 0 ? Promise.reject(new Error()) : forever();
  }
}

class Machine {
  readonly hand = new Hand();
  readonly #answers: string[] = [];
  get answer(): (text: string) => void {
    return (text) => void this.#answers.push(text);
  }
  async ask(): Promise<string> {
    while (this.#answers.length === 0) await turn();
    return this.#answers.pop() ?? '';
  }
  async *news(): AsyncGenerator<string> {
    yield 'one';
    await forever();
  }
}

function machine(): { log: CallLog; raw: Machine; spec: Machine } {
  const log = new CallLog('vm1');
  const raw = new Machine();
  return { log, raw, spec: tracked(raw, { log, name: 'vm', isPart: (value) => value instanceof Hand }) };
}

const said = (calls: readonly Call[]): string[] => calls.map((call) => call.what());

test('VE19: a test that skipped itself or was interrupted says nothing of its calls, any other does', () => {
  for (const [status, errors, after] of [
    ['passed', 1, 'failed'],
    ['failed', 1, 'failed'],
    ['timedOut', 1, 'timedOut'],
    ['skipped', 0, 'skipped'],
    ['interrupted', 0, 'interrupted'],
  ] as const) {
    const { log, spec } = machine();
    void spec.hand.wait();
    const info = ending(status);
    endCalls(log, info);
    expect([status, info.errors.length, info.status]).toEqual([status, errors, after]);
  }
});

test('VE19: parts, streams and what has settled meanwhile', async () => {
  const { log, raw, spec } = machine();
  void spec.hand.wait(1, 'two');
  const news = spec.news();
  expect(await news.next()).toEqual({ done: false, value: 'one' });
  void (async () => {
    for await (const text of news) expect(text).toBe('never');
  })();
  const answered = spec.ask();
  raw.answer('yes');
  expect(await answered).toBe('yes');
  void spec.ask();
  await turn();
  expect(said(log.cutOff())).toEqual(['vm.hand.wait(1, "two")', 'vm.news().next()', 'vm.ask()']);
  expect(log.cutOff()).toEqual([]);
});

test('VE19: what is cut off never settles, and neither does what a failed test asks afterwards', async () => {
  const { log, raw, spec } = machine();
  const settled: string[] = [];
  const note = (text: string) => () => void settled.push(text);
  spec.ask().then(note('before'), note('before'));
  endCalls(log, ending('timedOut'));
  spec.ask().then(note('after'), note('after'));
  raw.answer('a');
  raw.answer('b');
  for (let turns = 0; turns < 5; turns++) await turn();
  expect(settled).toEqual([]);
  const passing = machine();
  endCalls(passing.log, ending('passed'));
  passing.raw.answer('c');
  expect(await passing.spec.ask()).toBe('c');
});

test('VE19: an error holds no secret and no more than its reader wants', () => {
  const { log } = machine();
  const secret = new Secret('pin', 'zebra-4711-crossing');
  const spec = tracked(new Hand(), { log, name: 'hand', isPart: () => false });
  void spec.wait(secret, 'zebra-4711-crossing', Buffer.alloc(5000), 'x'.repeat(500));
  void log.make(
    () => 'look',
    () => {
      noteSeen(() => `zebra-4711-crossing ${'y'.repeat(5000)}`);
      return forever();
    },
    test,
  );
  const messages = log.cutOff().map((call) => stillWaiting(call, 'vm1').message);
  expect(messages[0]).toContain('hand.wait({pin}, "{pin}", ');
  expect(messages.join('\n')).not.toContain('4711');
  for (const message of messages) expect(message.length).toBeLessThan(900);
});
