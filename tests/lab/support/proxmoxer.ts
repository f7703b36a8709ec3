/**
 * Debian's python3-proxmoxer as a second opinion on the lab's API.
 *
 * @module
 */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Lab } from '../../../lab/index.ts';
import { findProgram } from '../../support/peers.ts';

/** The first Python is not always the one that Debian's packages are for. */
const PYTHONS = [findProgram('python3'), '/usr/bin/python3'];
const CLIENT = join(import.meta.dirname, 'client.py');

export type Login =
  { user: string; password: string } | { user: string; token_name: string; token_value: string };

/** A Python that has proxmoxer. In CI a missing one throws; elsewhere the calling test is skipped. */
export function requireProxmoxer(test: { skip(condition: boolean, reason: string): void }): string {
  const python = PYTHONS.find(
    (path) => path !== undefined && spawnSync(path, ['-c', 'import proxmoxer, requests']).status === 0,
  );
  const reason = 'no Python has proxmoxer (Debian packages python3-proxmoxer and python3-requests)';
  if (python === undefined && process.env.CI) throw new Error(reason);
  test.skip(python === undefined, reason);
  return python ?? '';
}

export const byPassword = ({ access }: Lab): Login => ({ user: access.user, password: access.password });

export function byToken({ access }: Lab): Login {
  const [user = '', name = ''] = access.tokenId.split('!');
  return { user, token_name: name, token_value: access.tokenSecret };
}

/** Runs one scenario of client.py against the lab. */
export async function runClient(
  python: string,
  lab: Lab,
  login: Login,
  scenario: 'tour' | 'errors' | 'agent' | 'login',
  vmid = 101,
): Promise<Record<string, unknown>> {
  const { PROXMOX_HOST: host, PROXMOX_PORT: port, PROXMOX_CA_FILE: ca } = lab.env();
  const output = await new Promise<string>((done, fail) => {
    const child = execFile(python, [CLIENT], { timeout: 50_000 }, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else fail(new Error(`client.py: ${stderr || error.message}`));
    });
    child.stdin?.end(JSON.stringify({ host, port: Number(port), ca, ...login, scenario, vmid }));
  });
  return JSON.parse(output) as Record<string, unknown>;
}
