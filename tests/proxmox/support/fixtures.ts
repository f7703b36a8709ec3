/**
 * `test` with a scripted server or a lab that ends with the test.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { test as base } from '@playwright/test';
import { Secret } from '../../../fixtures/secrets/index.ts';
import type { EngineClock } from '../../../fixtures/proxmox/engine.ts';
import {
  connectProxmox,
  type Proxmox,
  type ProxmoxConnection,
  type Vm,
} from '../../../fixtures/proxmox/index.ts';
import { type Lab, startLab } from '../../../lab/index.ts';
import { type Script, type ScriptedServer, startScripted } from './scripted-server.ts';

interface Fixtures {
  /** Starts a scripted server. */
  scripted: (script: Script, options?: Parameters<typeof startScripted>[1]) => Promise<ScriptedServer>;
  /** Connects and closes the connection after the test. */
  connect: (connection: ProxmoxConnection, clock?: EngineClock) => Promise<Proxmox>;
  /** A lab with fedora42 and windows10. */
  lab: Lab;
}

export const test = base.extend<Fixtures>({
  scripted: async ({}, use) => {
    const servers: ScriptedServer[] = [];
    await use(async (script, options) => {
      const server = await startScripted(script, options);
      servers.push(server);
      return server;
    });
    await Promise.all(servers.map((server) => server.close()));
  },
  connect: async ({}, use) => {
    const open: Proxmox[] = [];
    await use(async (connection, clock) => {
      const proxmox = await connectProxmox(connection, clock);
      open.push(proxmox);
      return proxmox;
    });
    await Promise.all(open.map((proxmox) => proxmox.close()));
  },
  lab: async ({}, use) => {
    const lab = await startLab({ guests: ['fedora42', 'windows10'] });
    await use(lab);
    await lab.stop();
  },
});

/** A hold that is never out of date. */
export const ANY_TIME = { mayTouch: () => true, assertMayTouch: () => undefined };

/** The VM as if it were leased: these tests are about Proxmox. */
export function held(vm: Vm): Vm {
  vm.hold = { ...ANY_TIME, assertHeld: () => Promise.resolve() };
  return vm;
}

/** How the client reaches the lab: with its token, or with `password`. */
export function labConnection(lab: Lab, kind: 'token' | 'password' = 'token'): ProxmoxConnection {
  const env = lab.env();
  const { access } = lab;
  return {
    host: env.PROXMOX_HOST!,
    port: Number(env.PROXMOX_PORT),
    tls: { ca: readFileSync(env.PROXMOX_CA_FILE!, 'utf8') },
    auth:
      kind === 'token'
        ? {
            type: 'token',
            id: access.tokenId,
            secret: new Secret('PROXMOX_TOKEN_SECRET', access.tokenSecret),
          }
        : { type: 'password', user: access.user, password: new Secret('PROXMOX_PASSWORD', access.password) },
  };
}

/** The error that a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error('this should have failed');
    },
    (error: unknown) => error as Error,
  );
}
