/**
 * Blob reports of a large run, made from one that Playwright really wrote of a small one.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { ROOT } from '../../tests/support/runner.ts';

export interface Size {
  readonly hosts: number;
  readonly steps: number;
  readonly shards: number;
}

export const PLAYWRIGHT = join(ROOT, 'node_modules/@playwright/test/cli.js');

/** Writes `blobs/<n>.zip` for each shard into `folder`, which becomes a project. */
export function writeBlobs(folder: string, { hosts, steps, shards }: Size): void {
  mkdirSync(join(folder, 'blobs'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const files = {
    'package.json': '{ "type": "module" }',
    'small.config.ts': `export default { projects: [{ name: 'HOST', metadata: { vmwright: { host: 'HOST', family: 'f' } } }] };`,
    'smoke.spec.ts': `import { test } from '@playwright/test';
test('smoke', async () => { for (let n = 1; n <= ${steps}; n++) await test.step('step ' + n, () => {}); });`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  execFileSync(process.execPath, [PLAYWRIGHT, 'test', '--config=small.config.ts', '--reporter=blob'], {
    cwd: folder,
  });
  const [zip = ''] = readdirSync(join(folder, 'blob-report'));
  const [report] = Object.values(unzipSync(readFileSync(join(folder, 'blob-report', zip))));
  const lines = strFromU8(report ?? new Uint8Array())
    .trim()
    .split('\n');
  const names = Array.from({ length: hosts }, (_, index) => `host${String(index).padStart(4, '0')}`);
  const shardOf = (index: number): number => (index % shards) + 1;
  const scope = names.map((host, index) => ({ host, tests: 1, shard: shardOf(index) }));
  for (let current = 1; current <= shards; current++) {
    const shard = { current, total: shards };
    const facts = { run: 'bench', build: 'bench', shard, scope, command: 'npx playwright test' };
    const own = names.filter((_, index) => shardOf(index) === current);
    const text = shardLines(lines, own, { [`vmwright-shard-${current}`]: facts }, shard).join('\n');
    writeFileSync(
      join(folder, 'blobs', `${current}.zip`),
      zipSync({ 'report.jsonl': strToU8(`${text}\n`) }, { level: 1 }),
    );
  }
}

/** The small run's messages, with those of its machine once for each machine of the shard. */
function shardLines(
  lines: readonly string[],
  hosts: readonly string[],
  metadata: object,
  shard: object,
): string[] {
  const perHost = (line: string): boolean => /^\{"method":"on(?:Project|Test|Step)/.test(line);
  const projects = lines.filter((line) => line.startsWith('{"method":"onProject"'));
  const events = lines.filter((line) => perHost(line) && !projects.includes(line));
  const id = /"testId":"([^"]+)"/.exec(projects.join())?.[1] ?? '';
  const result = /"result":\{"id":"([^"]+)"/.exec(events.join())?.[1] ?? '';
  const forHost = (line: string, host: string): string =>
    line.replaceAll('HOST', host).replaceAll(id, `${id}-${host}`).replaceAll(result, `${result}-${host}`);
  return lines.flatMap((line) => {
    if (line.startsWith('{"method":"onConfigure"')) {
      const message = JSON.parse(line) as { params: { config: Record<string, unknown> } };
      Object.assign(message.params.config, { metadata, shard });
      return [JSON.stringify(message)];
    }
    if (line.startsWith('{"method":"onBegin"'))
      return [
        ...hosts.flatMap((host) => projects.map((project) => forHost(project, host))),
        line,
        ...hosts.flatMap((host) => events.map((event) => forHost(event, host))),
      ];
    return perHost(line) ? [] : [line];
  });
}
