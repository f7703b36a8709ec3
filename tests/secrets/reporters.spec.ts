/** Ten hostile secrets through the real runner, each built-in reporter alone: nothing depends on which it is. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { ROOT, type RunnerResult, runPlaywright, writeProject } from '../support/runner.ts';
import { BUILT_IN, OURS, SECRETS, STRONG, WEAK, WORDS } from './hostile.ts';
import { searchFor, searchText } from './search.ts';

/** The same values in variables that nobody takes for secrets. */
const PLAIN = Object.fromEntries(
  Object.values(SECRETS).map((value, index) => [`VALUE_${index}`, value] as const),
);

/** @param variables in the order of {@link SECRETS} */
const specOf = (variables: readonly string[]): string => `
import { expect, test } from '${ROOT}/fixtures/index.ts';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
const variables = ${JSON.stringify(variables)};
const all = ${JSON.stringify(Object.keys(SECRETS))}.map((name, index) => [name, process.env[variables[index]]]);
const first = process.env[variables[0]];
test.use({ trace: 'on' });
const use = async (name, value, info) => {
  await test.step('step with ' + value, async () => {
    console.log('password: ' + value + '\\n' + JSON.stringify({ value }) + ' ' + encodeURIComponent(value));
    console.log({ password: value, nested: { list: [value] } });
    process.stdout.write('cut ' + value.slice(0, 7));
    await test.step('between the two', () => undefined);
    process.stdout.write(value.slice(7) + ' in two\\n');
    process.stderr.write(Buffer.from('bytes ' + value).subarray(0, 11));
    process.stderr.write(Buffer.from('bytes ' + value).subarray(11));
    process.stderr.write('\\n\\u001b[2J\\u001b]52;c;aGk=\\u0007::error::from a guest\\n');
    console.log(Buffer.from('x:' + value).toString('base64'), Buffer.from(value).toString('hex'));
  });
  info.annotations.push({ type: 'note', description: 'typed ' + value });
  if (name === 'PLAIN_PASSWORD') info.annotations.push({ type: 'typed ' + value, description: 'yes' });
  await info.attach('note ' + value.slice(0, 40), { body: 'password: ' + value });
  await info.attach('zipped', { body: gzipSync(JSON.stringify({ value, nested: JSON.stringify({ value }) })), contentType: 'application/gzip' });
  const file = info.outputPath(/[/"\\n|?*<>]/.test(value) ? name + '.txt' : 'of ' + value + '/' + value + '.txt');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, value.split('\\n').map((line) => '    ' + line).join('\\r\\n'));
  await info.attach('file', { path: file });
  info.attachments.push({ name: 'as it is', path: file, contentType: 'text/plain; of=' + value.split('\\n')[0] });
};
for (const [name, value] of all) {
  test('types ' + name + ' ' + value.split('\\n')[0], async ({}, info) => use(name, value, info));
}
test('asks a server', async ({ request }, info) => {
  const server = createServer((incoming, response) => incoming.pipe(response));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const url = 'http://127.0.0.1:' + server.address().port + '/';
  for (const [, value] of all) {
    const headers = { authorization: 'Basic ' + Buffer.from('me:' + value).toString('base64'), 'x-token': encodeURIComponent(value) };
    const answer = await request.post(url + '?token=' + encodeURIComponent(value), { headers, data: { value } });
    expect(await answer.json()).toEqual({ value });
    await request.post(url, { form: { password: value } });
  }
  server.close();
});
test('fails', async ({}, info) => {
  await info.attach('environment', { body: JSON.stringify(Object.fromEntries(all)), contentType: 'application/json' });
  for (const [name, value] of all) {
    await use(name, value, info);
    expect.soft('said ' + value + '!').toBe('said ' + value.slice(0, 3) + 'x' + value.slice(3));
    expect.soft({ said: value }).toEqual({ said: 'other', more: [value] });
  }
  const text = all.map(([, value]) => value).join(' and ');
  throw Object.assign(new Error('not ' + text, { cause: new Error('by ' + text) }), { text });
});
test('crashes', async () => {
  console.log('dying with ' + first);
  process.stderr.write('and with ' + first.slice(0, 5));
  process.stderr.write(first.slice(5) + '\\n');
  process.exit(9);
});
test('is thrown', async () => { throw all[4][1]; });
`;

interface Run extends RunnerResult {
  readonly folder: string;
}

/** @param reporters in one word for the command line; undefined leaves those of the config, which are all */
async function runWith(
  folder: string,
  variables: Readonly<Record<string, string>>,
  reporter?: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const junit = ['junit', { outputFile: 'out/junit.xml', embedAnnotationsAsProperties: true }];
  const all = [...OURS, ...BUILT_IN].map((name) => (name === 'junit' ? junit : [name]));
  const [first = ''] = Object.keys(variables);
  writeProject(folder, {
    'the.spec.ts': specOf(Object.keys(variables)),
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${ROOT}/fixtures/matrix.ts';
import matrix from '${ROOT}/vm-matrix.ts';
const word = process.env.${first};
export default defineConfig({ workers: 1, metadata: { note: 'made with ' + word }, reporter: ${JSON.stringify(all)},
  projects: projectsFrom(matrix.filter(({ name }) => name === 'fedora42')).map((project) => ({ ...project, metadata: { ...project.metadata, of: word } })), globalSetup: './begin.ts', globalTeardown: './over.ts' });`,
    'begin.ts': `export default () => { console.log({ set: 'up with ' + process.env.${first} }); process.stderr.write(Buffer.from('and ' + process.env.${first} + '\\n')); };`,
    'over.ts': `export default () => { throw new Error('torn down with ' + process.env.${first}); };`,
  });
  const args = reporter === undefined ? [] : [`--reporter=${reporter}`];
  const run = await runPlaywright(folder, ['test', ...args], {
    env: {
      ...variables,
      PROXMOX_HOST: 'pve.example.test',
      FEDORA42_PASSWORD: 'not-used-here',
      VMWRIGHT_BUILD_NAME: 'night',
      FORCE_COLOR: '1',
      NO_COLOR: undefined,
      PLAYWRIGHT_HTML_OPEN: 'never',
      PLAYWRIGHT_JSON_OUTPUT_FILE: 'out/report.json',
      PLAYWRIGHT_JUNIT_OUTPUT_FILE: 'out/junit.xml',
      ...more,
    },
  });
  return { ...run, folder };
}

const SOURCES = ['node_modules', 'the.spec.ts', 'playwright.config.ts'];

function expectNothing({ folder, stdout, stderr }: Run): void {
  const { hits } = searchFor(folder, WORDS, SOURCES);
  expect(hits).toEqual([]);
  for (const output of [stdout, stderr]) {
    expect(searchText(output, WORDS)).toEqual([]);
    // What a guest said acts on no terminal, and is no order to a CI system.
    expect(output).toContain(output === stderr ? 'the secret DOOR_PIN is masked only where' : '');
    expect(output).not.toMatch(/\u001b\]|\u001b\[2J|\u0007|^::error::from a guest/m);
  }
}

interface Reported {
  readonly stats: Readonly<Record<string, unknown>>;
  readonly suites: readonly ReportedSuite[];
  readonly errors: readonly unknown[];
}
interface ReportedSuite {
  readonly specs: readonly {
    readonly title: string;
    readonly ok: boolean;
    readonly tests: readonly {
      readonly status: string;
      readonly annotations: readonly unknown[];
      readonly results: readonly {
        readonly status: string;
        readonly errors: readonly unknown[];
        readonly steps?: readonly unknown[];
        readonly attachments: readonly { readonly name: string; readonly path?: string }[];
      }[];
    }[];
  }[];
}

/** Each test with what became of it, and how much of what there is. */
function verdictsOf(folder: string): unknown {
  const { stats, suites, errors } = JSON.parse(
    readFileSync(join(folder, 'out/report.json'), 'utf8'),
  ) as Reported;
  const { expected, unexpected, flaky, skipped } = stats;
  return {
    counts: [expected, unexpected, flaky, skipped, errors.length],
    tests: suites.flatMap(({ specs }) =>
      specs.map(({ title, ok, tests }) => [
        /^\w+ \w*/.exec(title)?.[0],
        ok,
        tests.map(({ status, annotations, results }) => [
          status,
          annotations.length,
          results.map((one) => [
            one.status,
            one.errors.length,
            one.steps?.length,
            one.attachments.map(({ name }) => /^\w+/.exec(name)?.[0]),
          ]),
        ]),
      ]),
    ),
  };
}

/** The operator's summary without its times. */
function summaryOf(folder: string): unknown {
  const { state, summary, hosts, tests, flow, failures } = JSON.parse(
    readFileSync(join(folder, 'test-results/summary/summary.json'), 'utf8'),
  ) as Readonly<Record<string, unknown>> & {
    readonly hosts: readonly { readonly host: string; readonly status: string }[];
    readonly failures: readonly unknown[];
  };
  return {
    state,
    summary,
    hosts: hosts.map(({ host, status }) => [host, status]),
    tests,
    flow: (flow as readonly { readonly steps: readonly unknown[] }[]).map(({ steps }) => steps.length),
    failures: failures.length,
  };
}

/** Of the run without secrets too. */
const FAILED = [
  'b10ae663c5ccf720ae7e-eaea4a55e8ae4a4e5609',
  'b10ae663c5ccf720ae7e-b2a9eda708bf06867ee9',
  'b10ae663c5ccf720ae7e-78a4fc60818842ad15f9',
];

/** What the runner itself keeps, whatever reporters it has: the tests that failed, by their identifiers. */
function lastRunOf(folder: string): unknown {
  return JSON.parse(readFileSync(join(folder, 'test-results/.last-run.json'), 'utf8'));
}

test('LK1, LK4, LK5: all reporters together: no secret in the terminal or in any file, and every verdict is that of the run without secrets', async ({}, info) => {
  test.setTimeout(180_000);
  const plain = await runWith(info.outputPath('plain'), PLAIN);
  const run = await runWith(info.outputPath('p'), SECRETS);
  expect([run.exitCode, plain.exitCode]).toEqual([1, 1]);
  expectNothing(run);
  expect(verdictsOf(run.folder)).toEqual(verdictsOf(plain.folder));
  expect(summaryOf(run.folder)).toEqual(summaryOf(plain.folder));
  expect(lastRunOf(plain.folder)).toEqual({ status: 'failed', failedTests: FAILED });
  expect(lastRunOf(run.folder)).toEqual(lastRunOf(plain.folder));
  // The run without secrets shows all of it: what is searched for can be found.
  const { hits } = searchFor(plain.folder, WORDS, SOURCES);
  for (const name of Object.keys(STRONG)) {
    for (const place of [
      'report.json',
      'junit.xml',
      'index.html',
      'trace.zip',
      'blob-report',
      'allure-results',
    ])
      expect(
        hits.some((hit) => hit.startsWith(`${name}: `) && hit.includes(place)),
        `${name} in ${place}`,
      ).toBe(true);
    expect(searchText(plain.stdout, WORDS)).toContain(name);
  }
  expect(run.output).toContain('torn down with {PLAIN_PASSWORD}');
  expect(run.output).toContain('up with {PLAIN_PASSWORD}');
  // Attached files are where the report says, under a name without the secret.
  const report = readFileSync(join(run.folder, 'out/report.json'), 'utf8');
  const paths = [...report.matchAll(/"path": ("(?:[^"\\]|\\.)*")/g)].map(
    ([, path = '""']) => JSON.parse(path) as string,
  );
  expect(paths.length).toBeGreaterThan(20);
  expect(paths.filter((path) => path.startsWith(run.folder) && !existsSync(path))).toEqual([]);
  expect(paths.some((path) => path.includes('{PLAIN_PASSWORD}'))).toBe(true);
});

for (const reporter of BUILT_IN) {
  test(`LK5: ${reporter} alone: no secret in the terminal or in any file, and the results are what they are`, async ({}, info) => {
    test.setTimeout(120_000);
    const run = await runWith(
      info.outputPath('p'),
      SECRETS,
      reporter,
      reporter === 'line' ? { DEBUG: 'pw:*' } : {},
    );
    expect(run.exitCode).toBe(1);
    expectNothing(run);
    // By their identifiers: of the three that fail no title has a secret, and there is no reporter that could change them.
    expect(lastRunOf(run.folder)).toEqual({ status: 'failed', failedTests: FAILED });
    if (reporter === 'list') {
      expect(run.output).toContain('{PLAIN_PASSWORD}');
      expect(run.output).toContain('torn down with {PLAIN_PASSWORD}');
      expect(run.output).toMatch(/3 failed[^]*11 passed/);
    }
    for (const name of Object.keys(WEAK))
      expect(run.stderr).toContain(`the secret ${name} is masked only where`);
    expect(existsSync(join(run.folder, 'test-results'))).toBe(true);
  });
}
