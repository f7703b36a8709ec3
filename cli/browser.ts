/**
 * Opens a page in the person's browser, if this terminal has one near.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The address is a key: it goes through a file that nobody else can read, not through a command line that everybody can.
 *
 * @returns takes the file away
 */
export function openInBrowser(
  url: string,
  platform: NodeJS.Platform = process.platform,
  env: NodeJS.ProcessEnv = process.env,
): () => void {
  const opener = openerOf(platform, env);
  if (opener === undefined) return () => undefined;
  const folder = mkdtempSync(join(tmpdir(), 'vmwright-open-'));
  const file = join(folder, 'recorder.html');
  const target = url.replaceAll('"', '%22');
  writeFileSync(file, `<!doctype html><meta http-equiv="refresh" content="0;url=${target}">\n`, {
    mode: 0o600,
  });
  // The address is printed too: without an opener nothing is lost.
  spawn(opener, [file], { stdio: 'ignore', detached: true, env })
    .on('error', () => undefined)
    .unref();
  return () => rmSync(folder, { recursive: true, force: true });
}

function openerOf(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): string | undefined {
  if (platform === 'darwin') return 'open';
  if (platform === 'win32') return 'explorer.exe';
  return env.DISPLAY || env.WAYLAND_DISPLAY ? 'xdg-open' : undefined;
}
