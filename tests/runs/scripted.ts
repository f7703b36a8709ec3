/**
 * The run of requirements section 7 as journal events: one pass, one failure, one blacklisted, one running machine.
 *
 * @module
 */
import type { JournalEvent } from '../../runs/journal.ts';

export const at = (time: string): number => Date.parse(`2026-05-12T${time}Z`);

const STEPS = [
  'Clean up application state',
  'Check package is staged',
  'Launch application',
  'Verify first-start screen',
  'Dismiss update banners',
  'Enter workspace URL',
  'Connect to workspace',
  'Log in',
  'Send message',
  'Verify message in history',
];

const COMMAND =
  'vmwright run --suite smoke-login --all --exclude manjaro --matrix vm-matrix.ts --package rpm,deb --app-version 4.14.1 --retries 1';

const EXCERPT = `Error: expect(vncPage).toShow("login form with Email and Password fields")
answers: no, no, no (3 attempts, 25 s each)
not: "offline / connection-failure banner" -> yes
attachment: step7-attempt3.png`;

const suite = 'smoke-login';
const test = 'Harbor Chat';

function stepsOf(host: string, count: number, start: number): JournalEvent[] {
  return STEPS.slice(0, count).map((title) => ({ type: 'step-begin', at: start, host, title }));
}

/** Everything up to 09:30:00, as F1 shows it. */
export const live: JournalEvent[] = [
  {
    type: 'run-begin',
    at: at('09:00:00'),
    build: 'smoke-login-4.14.1-linux-20260512',
    slots: 1,
    command: COMMAND,
    url: 'https://ci.example.test/runs/4711',
    hosts: [
      { host: 'ubuntu2204', tests: 1 },
      { host: 'fedora42', tests: 1 },
      { host: 'manjaro', tests: 1, skip: 'BLACKLISTED: RE-CREATE MIGHT BE NEEDED' },
      { host: 'opensuse', tests: 1 },
    ],
    coverage: [
      ['template', 'smoke-login'],
      ['categorize mode', 'disabled'],
      ['config file', 'vm-matrix.ts'],
      ['package', 'rpm, deb'],
      ['gpu', ''],
      ['run options', '--app-version 4.14.1, --retries 1'],
    ],
  },
  { type: 'test-begin', at: at('09:00:00'), host: 'ubuntu2204', suite, test, retry: 0 },
  ...stepsOf('ubuntu2204', 10, at('09:00:00')),
  { type: 'kernel', at: at('09:14:08'), host: 'ubuntu2204', kernel: '5.15.0-139-generic' },
  {
    type: 'test-end',
    at: at('09:14:08'),
    host: 'ubuntu2204',
    suite,
    test,
    retry: 0,
    outcome: 'passed',
    expected: true,
    steps: STEPS,
    durationMs: 848_000,
  },
  { type: 'test-begin', at: at('09:14:08'), host: 'fedora42', suite, test, retry: 0 },
  ...stepsOf('fedora42', 7, at('09:14:08')),
  { type: 'kernel', at: at('09:25:20'), host: 'fedora42', kernel: '6.14.9-300.fc42.x86_64' },
  {
    type: 'test-end',
    at: at('09:25:20'),
    host: 'fedora42',
    suite,
    test,
    retry: 0,
    outcome: 'failed',
    expected: false,
    steps: STEPS.slice(0, 7),
    failure: {
      step: 'Connect to workspace',
      short: 'login page not shown after 3 attempts',
      excerpt: EXCERPT,
    },
    durationMs: 672_000,
  },
  {
    type: 'note',
    at: at('09:25:20'),
    text: 'package staged on fedora42: 2 files matched `rocketchat-*.rpm`, newest used',
  },
  { type: 'test-begin', at: at('09:25:20'), host: 'opensuse', suite, test, retry: 0 },
  { type: 'kernel', at: at('09:25:25'), host: 'opensuse', kernel: '6.12.0-160000.5-default' },
  ...stepsOf('opensuse', 4, at('09:25:20')),
];

/** The whole run, as F2 shows it. */
export const finished: JournalEvent[] = [
  ...live,
  {
    type: 'test-end',
    at: at('09:39:31'),
    host: 'opensuse',
    suite,
    test,
    retry: 0,
    outcome: 'passed',
    expected: true,
    steps: STEPS,
    durationMs: 851_000,
  },
  { type: 'run-end', at: at('09:39:31'), result: 'finished' },
];
