// Preloaded into a process: writes down which files it removes and which folders it lists, with the time.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const log = process.env.FS_SPY_LOG;
const { appendFileSync, existsSync } = fs;
for (const name of ['rmSync', 'unlinkSync', 'rmdirSync', 'readdirSync']) {
  const real = fs[name];
  fs[name] = (path, ...rest) => {
    if (existsSync(path))
      appendFileSync(log, `${JSON.stringify({ name, path: String(path), at: Date.now() })}\n`);
    return real(path, ...rest);
  };
}
syncBuiltinESMExports();
