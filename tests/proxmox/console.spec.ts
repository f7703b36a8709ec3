import { expect } from '@playwright/test';
import { connectWebSocket } from '../../fixtures/vnc/index.ts';
import { labConnection, test } from './support/fixtures.ts';
import { ok, passwordAuth, type ScriptedRequest } from './support/scripted-server.ts';

const PASSWORD_8 = '8T:,O)X\\';
const TICKET = String.raw`8T:,O)X\:PVEVNC:6A4BB5CD::a+b/c==`;

function consoleServer(reply: object) {
  return ({ path }: ScriptedRequest) => {
    if (path === '/access/ticket') return ok({ ticket: 'PVE:root@pam:1', CSRFPreventionToken: 'x' });
    if (path === '/cluster/resources') return ok([{ vmid: 101, name: 'vm', node: 'pve', type: 'qemu' }]);
    return ok(reply);
  };
}

test('the ticket is URL-encoded, the password is that of the reply, trust and log-in go along', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(consoleServer({ port: '5901', ticket: TICKET, password: PASSWORD_8 }));
  const vm = await (await connect(server.connection())).findVm(101);
  const target = await vm.console();
  const query = 'port=5901&vncticket=8T%3A%2CO)X%5C%3APVEVNC%3A6A4BB5CD%3A%3Aa%2Bb%2Fc%3D%3D';
  expect(target.url).toBe(
    `wss://127.0.0.1:${server.port}/api2/json/nodes/pve/qemu/101/vncwebsocket?${query}`,
  );
  expect(target.password).toBe(PASSWORD_8);
  expect(target.headers.authorization).toMatch(/^PVEAPIToken=root@pam!ci=/);
  expect(target.ca).toBe(server.ca);
  expect(server.requests.at(-1)).toMatchObject({
    method: 'POST',
    path: '/nodes/pve/qemu/101/vncproxy',
    body: 'websocket=1',
  });
});

test('before qemu-server 9.1.8 the first eight bytes of the ticket are the password', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(consoleServer({ port: 5900, ticket: 'PVEVNC:6A4BB5CD::abc' }));
  const vm = await (await connect(server.connection({ auth: passwordAuth() }))).findVm(101);
  const target = await vm.console();
  expect(target.password).toBe('PVEVNC:6');
  expect(target.headers).toEqual({ cookie: 'PVEAuthCookie=PVE%3Aroot%40pam%3A1' });
});

for (const kind of ['token', 'password'] as const) {
  test(`P-M1: vncproxy, then RFB 3.8 inside the WebSocket, logged in by ${kind}`, async ({
    lab,
    connect,
  }) => {
    const vm = await (await connect(labConnection(lab, kind))).findVm('fedora42');
    const target = await vm.console();
    expect(lab.requests.at(-1)).toMatchObject({
      method: 'POST',
      path: '/api2/json/nodes/pve/qemu/101/vncproxy',
      body: 'websocket=1',
    });
    const raw = new URL(target.url).search;
    expect(raw).toMatch(/^\?port=59\d\d&vncticket=[^:&;+/ ]+$/);
    expect(Object.keys(target.headers)).toEqual([kind === 'token' ? 'authorization' : 'cookie']);
    const stream = await connectWebSocket(target, 'fedora42');
    const bytes = stream[Symbol.asyncIterator]();
    const next = async () => Buffer.from((await bytes.next()).value as Uint8Array);
    expect((await next()).toString('latin1')).toBe('RFB 003.008\n');
    stream.write('RFB 003.008\n');
    // One security type: VNC authentication.
    expect(await next()).toEqual(Buffer.from([1, 2]));
    stream.write(Buffer.from([2]));
    const challenge = await next();
    expect(challenge).toHaveLength(16);
    expect(challenge.equals(Buffer.alloc(16))).toBe(false);
    stream.destroy();
  });
}
