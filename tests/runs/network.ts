/**
 * Whom a process asks: every connection, look-up and program that it starts.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Preloaded: notes what goes over a socket that is no local pipe, and which programs are started (a program could ask
 * in its place). esbuild belongs to tsx, which loads the sources.
 */
const SPY = `
import childProcess from 'node:child_process';
import dgram from 'node:dgram';
import dns from 'node:dns';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
const { appendFileSync } = fs;
const note = (kind, to) =>
  appendFileSync(process.env.NETWORK_SPY_LOG, JSON.stringify(kind + ' ' + to) + '\\n');
const wrap = (room, names, see) => {
  for (const name of names) {
    const real = room[name];
    if (typeof real !== 'function') continue;
    room[name] = function (...args) { see(args, name); return real.apply(this, args); };
  }
};
wrap(net.Socket.prototype, ['connect'], ([first, second]) => {
  const to = Array.isArray(first) ? first[0] : first;
  if (typeof to === 'object' ? to.path : typeof to === 'string' && Number.isNaN(Number(to))) return;
  note('connect', typeof to === 'object' ? to.host + ':' + to.port : second + ':' + to);
});
wrap(dgram.Socket.prototype, ['send', 'connect'], (_, name) => note('datagram', name));
const lookups = Object.keys(dns).filter((name) => /^(lookup|resolve|reverse)/.test(name));
wrap(dns, lookups, ([host]) => note('look-up', host));
wrap(dns.promises, lookups, ([host]) => note('look-up', host));
const started = ([program]) => { if (!/esbuild/.test(String(program))) note('program', program); };
wrap(childProcess, ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'], started);
syncBuiltinESMExports();
`;

export interface NetworkSpy {
  readonly env: Readonly<Record<string, string>>;
  /** What was noted so far, as \`connect 127.0.0.1:8006\`. */
  readonly seen: () => string[];
}

/** A spy that writes to \`log\`. */
export function networkSpy(log: string): NetworkSpy {
  const spy = `${log}.mjs`;
  mkdirSync(dirname(spy), { recursive: true });
  writeFileSync(spy, SPY);
  return {
    env: { NETWORK_SPY_LOG: log, NODE_OPTIONS: `--import ${pathToFileURL(spy).href}` },
    seen: () =>
      existsSync(log)
        ? readFileSync(log, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as string)
        : [],
  };
}
