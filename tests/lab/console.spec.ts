import { once } from 'node:events';
import { expect } from '@playwright/test';
import type { Lab } from '../../lab/index.ts';
import { type ClockedApi, startClockedApi } from './support/clocked-api.ts';
import { openConsole } from './support/console.ts';
import { test as withLab } from './support/fixtures.ts';
import { api, dataOf, send, targetOf, tokenOf } from './support/raw.ts';

const VM = '/nodes/pve/qemu/101';
const GREETING = 'RFB 003.008\n';
const REFUSED = '401 permission denied - invalid PVEVNC ticket';

const test = withLab.extend<{ clocked: ClockedApi }>({
  clocked: async ({}, use) => {
    const clocked = await startClockedApi();
    await use(clocked);
    await clocked.stop();
  },
});

interface Proxy {
  readonly ticket: string;
  readonly password: string;
  readonly port: string;
  readonly user: string;
  readonly upid: string;
}

async function proxyOf(lab: Lab, vm = VM): Promise<Proxy> {
  return dataOf(await api(lab)('POST', `${vm}/vncproxy`, { body: 'websocket=1' })) as unknown as Proxy;
}

const pathOf = ({ port, ticket }: Pick<Proxy, 'port' | 'ticket'>, vm = VM): string =>
  `${vm}/vncwebsocket?port=${port}&vncticket=${encodeURIComponent(ticket)}`;

test('vncproxy answers as PVE 9 does', async ({ lab }) => {
  const reply = await proxyOf(lab);
  expect(reply.user).toBe('root@pam!lab');
  // The port is text on the wire.
  expect(reply.port).toMatch(/^59\d\d$/);
  expect(reply.password).toMatch(/^[!-`]{8}$/);
  expect(reply.ticket.startsWith(`${reply.password}:PVEVNC:`)).toBe(true);
  expect(reply.ticket.length).toBeLessThanOrEqual(512);
  expect(reply.upid).toMatch(/^UPID:pve:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:vncproxy:101:root@pam!lab:$/);
  const other = await proxyOf(lab);
  expect(other.port).not.toBe(reply.port);
  expect(other.ticket).not.toBe(reply.ticket);
});

test('passwords use the whole alphabet of PVE, so that bad encoding shows', async ({ clocked }) => {
  const seen = new Set<string>();
  for (let count = 0; count < 90; count++) {
    const headers = { ...tokenOf(clocked), 'Content-Type': 'application/x-www-form-urlencoded' };
    const reply = await send(clocked, 'POST', `/api2/json${VM}/vncproxy`, headers, 'websocket=1');
    for (const letter of String(dataOf(reply).password)) seen.add(letter);
  }
  for (const letter of ':#%&+;?\\') expect([...seen]).toContain(letter);
  expect([...seen].every((letter) => letter >= '!' && letter <= '`')).toBe(true);
});

test('the upgrade: protocol echoed, no extensions, then RFB; the end comes without a Close frame', async ({
  lab,
}) => {
  const { answer, headers, greeting, socket } = await openConsole(
    targetOf(lab),
    pathOf(await proxyOf(lab)),
    tokenOf(lab),
  );
  expect({ answer, greeting }).toEqual({ answer: '101', greeting: GREETING });
  expect(headers['sec-websocket-protocol']).toBe('binary');
  expect(headers['sec-websocket-extensions']).toBeUndefined();
  expect(String(headers.upgrade).toLowerCase()).toBe('websocket');
  const closed = once(socket, 'close');
  lab.faults.set('fedora42', 'drop-vnc', true);
  expect((await closed)[0]).toBe(1006);
});

test('a ticket is good for one connection', async ({ lab }) => {
  const path = pathOf(await proxyOf(lab));
  const first = await openConsole(targetOf(lab), path, tokenOf(lab));
  expect(first.greeting).toBe(GREETING);
  const second = await openConsole(targetOf(lab), path, tokenOf(lab));
  expect(second.answer).toBe(REFUSED);
  first.socket.terminate();
  expect((await openConsole(targetOf(lab), path, tokenOf(lab))).answer).toBe(REFUSED);
  const fresh = await openConsole(targetOf(lab), pathOf(await proxyOf(lab)), tokenOf(lab));
  expect(fresh.greeting).toBe(GREETING);
  fresh.socket.terminate();
});

test('a ticket that waits longer than the listener is refused', async ({ clocked }) => {
  const open = async (seconds: number) => {
    const headers = { ...tokenOf(clocked), 'Content-Type': 'application/x-www-form-urlencoded' };
    const reply = await send(clocked, 'POST', `/api2/json${VM}/vncproxy`, headers, 'websocket=1');
    clocked.advance(seconds);
    const path = pathOf(dataOf(reply) as unknown as Proxy);
    const { answer, greeting, socket } = await openConsole(clocked, path, tokenOf(clocked));
    socket.terminate();
    return { answer, greeting };
  };
  expect(await open(10)).toEqual({ answer: '101', greeting: GREETING });
  expect(await open(11)).toEqual({ answer: REFUSED, greeting: '' });
  expect(await open(41)).toEqual({ answer: REFUSED, greeting: '' });
});

test('a ticket is bound to its VM, port and user, and does not replace the log-in', async ({ lab }) => {
  const target = targetOf(lab);
  const proxy = await proxyOf(lab);
  const other = await proxyOf(lab);
  const login = dataOf(
    await api(lab)('POST', '/access/ticket', {
      auth: false,
      body: `username=root%40pam&password=${lab.access.password}`,
    }),
  );
  const cookie = { Cookie: `PVEAuthCookie=${encodeURIComponent(String(login.ticket))}` };
  const refusals = [
    openConsole(target, pathOf(proxy, '/nodes/pve/qemu/107'), tokenOf(lab)),
    openConsole(target, pathOf({ port: other.port, ticket: proxy.ticket }), tokenOf(lab)),
    openConsole(target, pathOf({ port: '5999', ticket: proxy.ticket }), tokenOf(lab)),
    openConsole(target, pathOf({ port: proxy.port, ticket: `${proxy.ticket}x` }), tokenOf(lab)),
    openConsole(target, pathOf(proxy), cookie),
    openConsole(target, `${VM}/vncwebsocket?port=${proxy.port}`, tokenOf(lab)),
  ];
  for (const refusal of refusals) {
    const { answer, headers, body } = await refusal;
    expect(answer).toBe(REFUSED);
    expect(headers['content-type']).toBe('application/json;charset=UTF-8');
    expect(JSON.parse(body)).toEqual({
      data: null,
      message: 'permission denied - invalid PVEVNC ticket\n',
    });
  }
  const anonymous = await openConsole(target, pathOf(proxy), {});
  expect(anonymous).toMatchObject({ answer: '401 No ticket', body: '' });
  // None of that used the ticket up.
  const right = await openConsole(target, pathOf(proxy), tokenOf(lab));
  expect(right.greeting).toBe(GREETING);
  right.socket.terminate();
});

for (const [name, prepare] of [
  ['that is off', (lab: Lab) => lab.machine('fedora42').guest.stop()],
  ['without a display', (lab: Lab) => lab.faults.set('fedora42', 'no-display', true)],
] as const) {
  test(`a machine ${name}: vncproxy and upgrade succeed, and not one byte comes`, async ({ lab }) => {
    await prepare(lab);
    const outcome = await openConsole(targetOf(lab), pathOf(await proxyOf(lab)), tokenOf(lab));
    expect(outcome).toMatchObject({ answer: '101', greeting: '', closeCode: 1006 });
  });
}

test('log-in tickets hold for two hours, also from a clock five minutes ahead', async ({ clocked }) => {
  const { access, advance } = clocked;
  const call = (path: string, ticket: string) =>
    send(clocked, 'GET', `/api2/json${path}`, { Cookie: `PVEAuthCookie=${encodeURIComponent(ticket)}` });
  const ticket = String(access.login('root@pam', access.password).ticket);
  advance(7200);
  expect((await call('/version', ticket)).statusLine).toBe('HTTP/1.1 200 OK');
  // The ticket itself is a password for its renewal, as long as it holds.
  const renewed = String(access.login('root@pam', ticket).ticket);
  advance(1);
  expect((await call('/version', ticket)).statusLine).toBe('HTTP/1.1 401 Authentication failed!');
  expect(() => access.login('root@pam', ticket)).toThrow('authentication failure');
  expect((await call('/version', renewed)).statusLine).toBe('HTTP/1.1 200 OK');
  advance(-301);
  expect((await call('/version', renewed)).statusLine).toBe('HTTP/1.1 200 OK');
  advance(-1);
  expect((await call('/version', renewed)).statusLine).toBe('HTTP/1.1 401 Authentication failed!');
});
