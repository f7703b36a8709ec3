/**
 * The tests' own fixtures: a folder, real sshd processes and sessions that end with the test.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base } from '@playwright/test';
import { SshSession, type SshTarget } from '../../../fixtures/ssh/index.ts';
import { requirePeer } from '../../support/peers.ts';
import { Sshd, type SshdOptions } from './sshd.ts';

interface Fixtures {
  folder: string;
  /** Starts an sshd; all of a test share user key, host key and known_hosts. */
  startSshd: (options?: SshdOptions) => Promise<Sshd>;
  /** Connects, and disconnects after the test. */
  connect: (target: SshTarget) => Promise<SshSession>;
}

export const test = base.extend<Fixtures>({
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'vmw-ssh-'));
    await use(folder);
    rmSync(folder, { recursive: true, force: true });
  },
  startSshd: async ({ folder }, use) => {
    const program = requirePeer(test, 'sshd');
    requirePeer(test, 'ssh-keygen');
    const started: Sshd[] = [];
    await use(async (options) => {
      const sshd = await Sshd.start(program, folder, options);
      started.push(sshd);
      return sshd;
    });
    for (const sshd of started) await sshd.stop();
  },
  connect: async ({}, use) => {
    const sessions: SshSession[] = [];
    await use(async (target) => {
      const session = await SshSession.connect(target);
      sessions.push(session);
      return session;
    });
    for (const session of sessions) session.disconnect();
  },
});

export { expect } from '@playwright/test';
