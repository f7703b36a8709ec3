import { test as base } from '@playwright/test';
import { type Lab, startLab } from '../../../lab/index.ts';

/** A lab with fedora42 (101) and windows11 (107) that ends with the test. */
export const test = base.extend<{ lab: Lab }>({
  lab: async ({}, use) => {
    const lab = await startLab({ guests: ['fedora42', 'windows11'] });
    await use(lab);
    await lab.stop();
  },
});
