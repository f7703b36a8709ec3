/**
 * `vmwright/lab`: the embedded lab for a Playwright config, and for tests that want one of their own.
 *
 * @module
 */
import type { Lab, LabOptions } from './index.ts';

export type { Lab, LabOptions } from './index.ts';
export { type LabServer, type LabServerOptions, labServer } from './server.ts';

/**
 * Starts a lab in this process, on random loopback ports.
 *
 *     const lab = await startLab({ guests: ['fedora42'] });
 *     Object.assign(process.env, lab.env());
 *     // ...
 *     await lab.stop();
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const room = await import('./index.ts');
  return room.startLab(options);
}
