/**
 * The application on a simulated Windows without a network, with a screen that shows whatever is looked for.
 *
 * @module
 */
import { App } from '../../../fixtures/app/index.ts';
import { HARBOR_WINDOWS } from '../../../lab/guests/simulated/files.ts';
import type { Windows } from './guest.ts';

const nobody = (): Promise<boolean> => Promise.resolve(false);

export interface Options {
  readonly user?: string;
  readonly path?: string;
  /** Without the guest agent everything goes over SSH. */
  readonly agent?: boolean;
  readonly keys?: string[];
  readonly stateFiles?: readonly string[];
}

export function appOn(
  guest: Windows,
  { user = 'tester', path = HARBOR_WINDOWS, agent = true, keys = [], stateFiles = [] }: Options = {},
): App {
  return new App({
    machine: 'm',
    profile: guest.profile,
    application: { title: 'Harbor', path, process: 'HarborChat', stateFiles },
    user,
    staged: { path, others: [] },
    startedAt: Date.now() - 60_000,
    ssh: guest.ssh,
    ...(agent ? { asSystem: guest.asSystem } : {}),
    timeoutScale: 1,
    guards: { clearWay: nobody, unlock: nobody, dismissBanners: nobody },
    screen: {
      size: { width: 1280, height: 800 },
      keyboard: {
        press: (key) => Promise.resolve(keys.push(key)),
        type: (text) => Promise.resolve(keys.push(text)),
      },
      waitForChange: nobody,
      look: () => Promise.resolve({ isShown: true, told: '' }),
      count: () => Promise.resolve(1),
      witness: () => {
        throw new Error('no claim was made');
      },
    },
  });
}

export const harbors = ({ processes }: Windows) =>
  processes.list().filter(({ comm }) => comm === 'HarborChat.exe');
