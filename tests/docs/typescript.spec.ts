/** Every TypeScript snippet of the documentation is compiled, and loaded or run by the real runner on the lab. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import type { JSONReport, JSONReportSuite } from '@playwright/test/reporter';
import ts from 'typescript';
import { startLab } from '../../lab/index.ts';
import { ROOT, runPlaywright, writeProject } from '../support/runner.ts';
import { fileOf, MODULES, type Snippet, SNIPPETS } from './support/pages.ts';

const TYPESCRIPT = SNIPPETS.filter(({ language }) => language === 'ts');
/** Other tests use the processor meanwhile. */
const PATIENCE = 4;
const place = ({ page, line }: Snippet): string => `${page}:${line}`;

test('every TypeScript snippet compiles, strictly; one that is wrong does not', () => {
  const files = new Map(TYPESCRIPT.map((snippet) => [virtualPath(snippet), snippet]));
  expect(files.size, 'no two snippets are the same file').toBe(TYPESCRIPT.length);
  const broken: Snippet = {
    page: 'docs/broken.md',
    line: 1,
    language: 'ts',
    notRun: undefined,
    path: undefined,
    code: `import { test } from 'vmwright';\ntest('x', ({ vncPage }) => vncPage.getByTetx('Email'));`,
  };
  const problems = compile(new Map([...files, [virtualPath(broken), broken]]));
  expect(problems).toEqual([expect.stringMatching(/^docs\/broken\.md:1, line 2: .*getByTetx/)]);
});

test('every specification of the documentation passes on the lab, every other module loads', async ({}, info) => {
  test.setTimeout(900_000);
  const run = TYPESCRIPT.filter(({ notRun }) => notRun === undefined);
  const specs = run.filter((snippet) => fileOf(snippet).endsWith('.spec.ts'));
  const modules = run.filter((snippet) => !specs.includes(snippet));
  expect(specs.length).toBeGreaterThan(10);
  const folder = info.outputPath('p');
  writeProject(folder, {
    'tsconfig.json': JSON.stringify({ compilerOptions: { paths: pathsOf(ROOT) } }),
    'playwright.config.ts': `
import { defineConfig } from '@playwright/test';
import { projectsFrom } from '${ROOT}/fixtures/config/index.ts';
import matrix from '${ROOT}/vm-matrix.ts';
export default defineConfig({
  outputDir: 'test-results/artifacts',
  snapshotPathTemplate: '{testDir}/__screenshots__/{projectName}/{arg}{ext}',
  reporter: [['json', { outputFile: 'report.json' }], ['${ROOT}/reporters/lease.ts']],
  projects: projectsFrom(matrix.filter(({ name }) => name === 'fedora42'), { timeoutScale: ${PATIENCE} }),
});`,
    ...Object.fromEntries(run.map((snippet) => [fileOf(snippet), snippet.code])),
    'modules.spec.ts': `
import { expect, test } from '@playwright/test';
for (const file of ${JSON.stringify(modules.map(fileOf))}) {
  test(file, async () => {
    expect(Object.values(await import('./' + file)).filter((value) => value !== undefined)).not.toEqual([]);
  });
}`,
  });
  const lab = await startLab({ guests: ['fedora42'] });
  try {
    const known = join(folder, 'known_hosts');
    const env = { ...lab.env(), SSH_KNOWN_HOSTS_FILE: known, TIMEOUT_SCALE: String(PATIENCE) };
    const first = specs.filter(({ code }) => code.includes('toHaveScreenshot'));
    const taken = await runPlaywright(folder, ['test', '--update-snapshots=all', ...first.map(fileOf)], {
      env,
    });
    expect(taken.exitCode, taken.output).toBe(0);
    const { output } = await runPlaywright(folder, ['test', '--update-snapshots=none'], { env });
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as JSONReport;
    const results = resultsOf(report.suites);
    const wanted = [...specs.map(fileOf), ...modules.map(fileOf)];
    const seen = wanted.map((file) => {
      const own = results.filter((result) => result.file === file || result.title === file);
      return [file, own.length === 0 ? 'no test' : own.map(({ outcome }) => outcome).join(', ')];
    });
    const failures = results.flatMap(({ title, error }) => (error === '' ? [] : [`${title}: ${error}`]));
    expect([...failures, ...report.errors.map(({ message }) => message)], output).toEqual([]);
    expect(seen).toEqual(wanted.map((file) => [file, 'expected']));
  } finally {
    await lab.stop();
  }
});

interface Result {
  readonly file: string;
  readonly title: string;
  readonly outcome: string;
  readonly error: string;
}

function resultsOf(suites: readonly JSONReportSuite[]): Result[] {
  return suites.flatMap(({ file, specs, suites: inner = [] }) => [
    ...specs.flatMap(({ title, tests }) =>
      tests.map(({ status, results }) => ({
        file,
        title,
        outcome: status,
        error: results.flatMap(({ errors }) => errors.map(({ message }) => message)).join('\n'),
      })),
    ),
    ...resultsOf(inner),
  ]);
}

/** Parts of vmwright itself stand where they belong, everything else in a project of its page. */
function virtualPath(snippet: Snippet): string {
  return /^(?:fixtures|lab|reporters|cli)\//.test(snippet.path ?? '')
    ? join(ROOT, snippet.path ?? '')
    : join(ROOT, 'tests/docs/snippets', fileOf(snippet));
}

function pathsOf(root: string): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries({ ...MODULES, '#fixtures': 'fixtures/index.ts' }).map(([name, file]) => [
      name,
      [join(root, file)],
    ]),
  );
}

/** What is wrong in the snippets, with the repository's own options. */
function compile(files: ReadonlyMap<string, Snippet>): string[] {
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options: own } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
  const options = { ...own, paths: pathsOf(ROOT) };
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => files.has(path) || disk.fileExists(path),
    readFile: (path) => files.get(path)?.code ?? disk.readFile(path),
    getSourceFile: (path, target, ...rest) => {
      const code = files.get(path)?.code;
      return code === undefined
        ? disk.getSourceFile(path, target, ...rest)
        : ts.createSourceFile(path, code, target);
    },
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files].flatMap(([path, snippet]) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ start = 0, messageText }) => {
        const line = (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
        return `${place(snippet)}, line ${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
      },
    );
  });
}
