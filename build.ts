/**
 * `npm run build`: the package's JavaScript, types and other files in dist/, or in the folder that is given.
 *
 * Node strips the types off its users' own files, but not below node_modules.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const ROOT = import.meta.dirname;
const DIST = resolve(process.argv[2] ?? join(ROOT, 'dist'));
/** What is read at run time beside code. */
const ASSETS = [
  'fixtures/recorder/recorder.html',
  'fixtures/recording/film.html',
  'fixtures/recording/live.html',
  'lab/guests/qemu/customize.sh',
  'lab/guests/qemu/desktops/gnome',
  'lab/guests/qemu/desktops/kde',
  'lab/guests/qemu/desktops/openbox',
  'lab/guests/qemu/harbor-chat.py',
  'lab/guests/qemu/rootfs',
];
/** The compiler rewrites these in JavaScript, not in declarations. */
const OWN_IMPORT = /(from '|import\(')(\.{1,2}\/[^']+)\.ts'/g;

rmSync(DIST, { recursive: true, force: true });
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', DIST], {
  cwd: ROOT,
  stdio: 'inherit',
});
if (status !== 0) process.exit(1);
for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.d.ts')) continue;
  const file = join(DIST, name);
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(OWN_IMPORT, "$1$2.js'"));
}
for (const asset of ASSETS) cpSync(join(ROOT, asset), join(DIST, asset), { recursive: true });
