import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base } from '@playwright/test';

/** `folder`: empty, with a path short enough for UNIX sockets, gone after the test. */
export const test = base.extend<{ folder: string }>({
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'vmw-qemu-'));
    await use(folder);
    await rm(folder, { recursive: true, force: true });
  },
});
