import { connect } from 'node:tls';
import { expect } from '@playwright/test';
import { startLab } from '../../lab/index.ts';
import { test } from './support/fixtures.ts';
import { api, dataOf, send, targetOf, tokenOf } from './support/raw.ts';

const VM = '/nodes/pve/qemu/101';

test('every reply has the headers of pveproxy', async ({ lab }) => {
  const call = api(lab);
  const good = await call('GET', '/version');
  expect(good.statusLine).toBe('HTTP/1.1 200 OK');
  expect(good.headers).toMatchObject({
    'cache-control': 'max-age=0',
    pragma: 'no-cache',
    server: 'pve-api-daemon/3.0',
    connection: 'Keep-Alive',
    'content-type': 'application/json;charset=UTF-8',
  });
  expect(good.headers.expires).toBe(good.headers.date);
  expect(new Date(good.headers.date!).toUTCString()).toBe(good.headers.date);
  expect(JSON.parse(good.body)).toEqual({
    data: { release: '9.2', version: '9.2.4', repoid: '5e5ae681198514d4' },
  });
  const bad = await call('GET', '/nodes/pve/qemu/999/status/current');
  expect(bad.headers).toMatchObject({
    server: 'pve-api-daemon/3.0',
    connection: 'close',
    'content-type': 'application/json;charset=UTF-8',
  });
});

test("an error's words are the reason phrase, and the body's message with a line feed", async ({ lab }) => {
  const { statusLine, body } = await api(lab)('GET', '/nodes/pve/qemu/999/status/current');
  const words = "Configuration file 'nodes/pve/qemu-server/999.conf' does not exist";
  expect(statusLine).toBe(`HTTP/1.1 500 ${words}`);
  expect(JSON.parse(body)).toEqual({ data: null, message: `${words}\n` });
});

test('parameter errors name each parameter', async ({ lab }) => {
  const call = api(lab);
  const cases: readonly (readonly [string, string, string, Record<string, string>])[] = [
    ['POST', `${VM}/snapshot`, 'vmstate=1', { snapname: 'property is missing and it is not optional' }],
    [
      'POST',
      `${VM}/snapshot`,
      'snapname=ok&colour=red',
      { colour: 'property is not defined in schema and the schema does not allow additional properties' },
    ],
    [
      'POST',
      `${VM}/snapshot`,
      'snapname=1x',
      { snapname: 'invalid format - value does not look like a valid configuration ID\n' },
    ],
    [
      'POST',
      `${VM}/snapshot`,
      `snapname=${'x'.repeat(41)}`,
      { snapname: 'value may only be 40 characters long' },
    ],
    [
      'POST',
      `${VM}/snapshot`,
      'snapname=a1&snapname=b2',
      { snapname: "type check ('string') failed - got ARRAY" },
    ],
    [
      'POST',
      `${VM}/status/shutdown`,
      'timeout=abc',
      { timeout: "type check ('integer') failed - got 'abc'" },
    ],
    ['POST', `${VM}/status/shutdown`, 'timeout=-1', { timeout: 'value must have a minimum value of 0' }],
    [
      'GET',
      '/nodes/pve/qemu/7/config',
      '',
      { vmid: 'invalid format - value does not look like a valid VM ID\n' },
    ],
    [
      'GET',
      '/cluster/resources?type=cloud',
      '',
      { type: "value 'cloud' does not have a value in the enumeration 'vm, storage, node, sdn'" },
    ],
    ['GET', '/nodes/pve/tasks/nonsense/status', '', { upid: 'unable to parse worker upid' }],
    [
      'GET',
      '/nodes/pve/tasks/UPID:pve:00004686:0005B477:6A4A8EEF:qmstart:101:root@pam:/status',
      '',
      { upid: 'no such task' },
    ],
  ];
  for (const [method, path, body, errors] of cases) {
    const reply = await call(method, path, { body });
    expect(reply.statusLine, path).toBe('HTTP/1.1 400 Parameter verification failed.');
    expect(JSON.parse(reply.body)).toEqual({
      data: null,
      errors,
      message: 'Parameter verification failed.\n',
    });
  }
  expect(lab.tasks.list()).toEqual([]);
});

test('what pveproxy does not speak is 501', async ({ lab }) => {
  const call = api(lab);
  const target = targetOf(lab);
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  expect((await call('HEAD', '/version')).statusLine).toBe("HTTP/1.1 501 method 'HEAD' not available");
  expect((await call('PATCH', '/version')).statusLine).toBe("HTTP/1.1 501 method 'PATCH' not available");
  expect((await call('GET', '/foo')).statusLine).toBe("HTTP/1.1 501 Method 'GET /foo' not implemented");
  expect((await send(target, 'GET', '/other', tokenOf(lab))).statusLine).toBe('HTTP/1.1 501 no such uri');
  expect((await call('GET', '/version', { body: 'a=b' })).statusLine).toBe(
    "HTTP/1.1 501 Unexpected content for method 'GET'",
  );
  expect((await call('DELETE', `${VM}/snapshot/ready`, { body: 'force=1' })).statusLine).toBe(
    "HTTP/1.1 501 Unexpected content for method 'DELETE'",
  );
  const chunked = { ...form, ...tokenOf(lab), 'Transfer-Encoding': 'chunked' };
  const reply = await send(target, 'POST', `/api2/json${VM}/status/stop`, chunked);
  expect(reply.statusLine).toBe('HTTP/1.1 501 chunked transfer encoding not supported');
  const large = await call('PUT', `${VM}/config`, { body: `description=${'x'.repeat(512 * 1024)}` });
  expect(large.statusLine).toBe('HTTP/1.1 501 for data too large');
  const text = await call('PUT', `${VM}/config`, {
    body: 'tags=a',
    headers: { 'Content-Type': 'text/plain' },
  });
  expect(text.statusLine).toMatch(/^HTTP\/1\.1 506 /);
  expect(lab.tasks.list()).toEqual([]);
  expect(lab.machine('fedora42').config.tags).toBeUndefined();
});

test('forms are split on ";" too, JSON is taken, a repeated key is a list', async ({ lab }) => {
  const call = api(lab);
  const { config } = lab.machine('fedora42');
  await call('PUT', `${VM}/config`, { body: 'description=one;tags=two' });
  expect(config).toMatchObject({ description: 'one', tags: 'two' });
  await call('PUT', `${VM}/config`, { body: 'description=one%3Btags%3Dthree+four' });
  expect(config).toMatchObject({ description: 'one;tags=three four', tags: 'two' });
  const json = { 'Content-Type': 'application/json' };
  await call('PUT', `${VM}/config`, { body: '{"tags":"json","onboot":true}', headers: json });
  expect(config).toMatchObject({ tags: 'json', onboot: '1' });
  const body = 'command=/bin/echo&command=a%20b&command=c';
  const { pid } = dataOf(await call('POST', `${VM}/agent/exec`, { body }));
  await expect
    .poll(async () => dataOf(await call('GET', `${VM}/agent/exec-status?pid=${String(pid)}`)))
    .toEqual({ exited: 1, exitcode: 0, 'out-data': 'a b c\n' });
});

test('TLS 1.2 and 1.3 with HTTP/1.1 only; nothing older', async ({ lab }) => {
  const { port, ca } = targetOf(lab);
  const handshake = (options: object) =>
    new Promise<string>((done) => {
      const socket = connect({ host: '127.0.0.1', port, ca, ...options });
      socket.once('secureConnect', () => {
        done(`${socket.getProtocol() ?? ''} ${String(socket.alpnProtocol)}`);
        socket.destroy();
      });
      socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    });
  expect(await handshake({ maxVersion: 'TLSv1.2', ALPNProtocols: ['h2', 'http/1.1'] })).toBe(
    'TLSv1.2 http/1.1',
  );
  expect(await handshake({ ALPNProtocols: ['http/1.1'] })).toBe('TLSv1.3 http/1.1');
  expect(await handshake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })).toMatch(
    /^(ERR_SSL|ECONNRESET|EPROTO)/,
  );
});

test('refusals before the handler have neither body nor content type', async ({ lab }) => {
  const call = api(lab);
  const form = { body: 'username=root%40pam&password=' };
  const { ticket } = dataOf(
    await call('POST', '/access/ticket', { auth: false, body: form.body + lab.access.password }),
  );
  const cookie = `PVEAuthCookie=${encodeURIComponent(String(ticket))}`;
  const cases: readonly (readonly [string, string, Record<string, string>, string])[] = [
    ['GET', '/version', {}, 'No ticket'],
    ['GET', '/nowhere', {}, 'No ticket'],
    [
      'GET',
      '/version',
      { Authorization: `PVEAPIToken=${lab.access.tokenId}=wrong` },
      'Authentication failed!',
    ],
    ['GET', '/version', { Cookie: 'PVEAuthCookie=PVE:root@pam:00000000::x' }, 'Authentication failed!'],
    ['POST', `${VM}/status/stop`, { Cookie: cookie }, 'Permission denied - invalid csrf token'],
    [
      'POST',
      `${VM}/status/stop`,
      { Cookie: cookie, CSRFPreventionToken: '6A4A8EEF:x' },
      'Permission denied - invalid csrf token',
    ],
    ['GET', '/version', { Cookie: 'PVEAuthCookie=x', ...tokenOf(lab) }, 'Authentication failed!'],
  ];
  for (const [method, path, auth, words] of cases) {
    const reply = await call(method, path, { auth });
    expect(reply.statusLine).toBe(`HTTP/1.1 401 ${words}`);
    expect(reply.headers['content-type']).toBeUndefined();
    expect(reply.headers.connection).toBe('close');
    expect(reply.body).toBe('');
  }
  expect(lab.tasks.list()).toEqual([]);
});

test('a wrong password is refused by the handler: with JSON', async ({ lab }) => {
  const reply = await api(lab)('POST', '/access/ticket', {
    auth: false,
    body: 'username=root%40pam&password=wrong',
  });
  expect(reply.statusLine).toBe('HTTP/1.1 401 authentication failure');
  expect(reply.headers['content-type']).toBe('application/json;charset=UTF-8');
  expect(JSON.parse(reply.body)).toEqual({ data: null, message: 'authentication failure\n' });
});

test('a ticket lets in as cookie and as Authorization; realm and user may come apart', async ({ lab }) => {
  const call = api(lab);
  const body = `username=root&realm=pam&password=${lab.access.password}`;
  const login = dataOf(await call('POST', '/access/ticket', { auth: false, body }));
  expect(login.username).toBe('root@pam');
  expect(login.ticket).toMatch(/^PVE:root@pam:[0-9A-F]{8}::[A-Za-z0-9+/]+=*$/);
  expect(login.CSRFPreventionToken).toMatch(/^[0-9A-F]{8}:[A-Za-z0-9+/]+$/);
  for (const auth of [
    { Cookie: `PVEAuthCookie=${String(login.ticket)}` },
    { Cookie: `other=1; PVEAuthCookie=${encodeURIComponent(String(login.ticket))}` },
    { Authorization: `PVEAuthCookie=${String(login.ticket)}` },
  ]) {
    expect((await call('GET', '/version', { auth })).statusLine).toBe('HTTP/1.1 200 OK');
    const changing = { ...auth, CSRFPreventionToken: String(login.CSRFPreventionToken) };
    const put = await call('PUT', `${VM}/config`, { auth: changing, body: 'tags=a' });
    expect(put.statusLine).toBe('HTTP/1.1 200 OK');
  }
});

test('401 is delayed as PVE delays it, when asked for', async () => {
  const lab = await startLab({ guests: ['fedora42'], unauthorizedDelayMs: 150 });
  try {
    const start = performance.now();
    await api(lab)('GET', '/version', { auth: false });
    expect(performance.now() - start).toBeGreaterThanOrEqual(149);
  } finally {
    await lab.stop();
  }
});

test('the log of requests has what a client sent', async ({ lab }) => {
  const call = api(lab);
  await call('PUT', `${VM}/config?digest=`, { body: 'tags=a%20b' });
  expect(lab.requests).toEqual([
    { method: 'PUT', path: `/api2/json${VM}/config`, query: 'digest=', body: 'tags=a%20b', status: 500 },
  ]);
});
