import { expect } from '@playwright/test';
import { Secret } from '../../fixtures/secrets/index.ts';
import { fakeClock } from './support/clock.ts';
import { failure, labConnection, test } from './support/fixtures.ts';
import {
  UPID,
  type Answer,
  ok,
  PASSWORD,
  passwordAuth,
  refusal,
  type ScriptedRequest,
  TOKEN_SECRET,
  version,
} from './support/scripted-server.ts';

const HOUR_MS = 3_600_000;
/** What pveproxy says before a handler is reached, with an empty body; wordings of several releases. */
const REFUSALS = [
  'permission denied - invalid PVE ticket',
  'Authentication failed!',
  'No ticket',
  'Permission denied - invalid csrf token',
];

/** A pveproxy with tickets `PVE:root@pam:1`, `PVE:root@pam:2`, ..., all valid until revoked. */
function ticketServer() {
  const valid = new Set<string>();
  const logins: { password: string }[] = [];
  const state = {
    valid,
    logins,
    reason: 'Authentication failed!',
    /** Answers a log-in in place of the usual. */
    login: undefined as ((password: string) => Answer | undefined) | undefined,
    script: (request: ScriptedRequest): Answer => {
      if (request.path === '/access/ticket') {
        const password = new URLSearchParams(request.body).get('password') ?? '';
        logins.push({ password });
        const answer = state.login?.(password);
        if (answer !== undefined) return answer;
        if (password !== PASSWORD && !valid.has(password)) return refusal(401, 'authentication failure');
        const ticket = `PVE:root@pam:${logins.length}::a+b/c==`;
        valid.add(ticket);
        return ok({ username: 'root@pam', ticket, CSRFPreventionToken: `csrf:${logins.length}` });
      }
      const cookie = decodeURIComponent(request.headers.cookie?.replace('PVEAuthCookie=', '') ?? '');
      const csrf = `csrf:${cookie.split(':')[2] ?? ''}`;
      const isAllowed =
        valid.has(cookie) && (request.method === 'GET' || request.headers.csrfpreventiontoken === csrf);
      if (!isAllowed) return { status: 401, reason: state.reason };
      if (request.path === '/version') return version;
      // A change of a config is done at once, without a task.
      if (request.method === 'PUT') return ok(null);
      return ok(request.method === 'GET' ? [] : UPID);
    },
  };
  return state;
}

test('a token goes in the Authorization header of every call, and nothing else does', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(({ method }) => ok(method === 'GET' ? [] : UPID));
  const { api } = await connect(server.connection());
  await api.nodes.$get();
  await api.nodes.$('pve').qemu.$(101).status.start.$post();
  expect(server.calls()).toEqual(['GET /version', 'GET /nodes', 'POST /nodes/pve/qemu/101/status/start']);
  for (const { headers } of server.requests) {
    expect(headers.authorization).toBe(`PVEAPIToken=root@pam!ci=${TOKEN_SECRET}`);
    expect(headers.cookie).toBeUndefined();
    expect(headers.csrfpreventiontoken).toBeUndefined();
  }
});

test('a password is sent once, then its ticket as a cookie, with the CSRF token where something changes', async ({
  scripted,
  connect,
}) => {
  const pve = ticketServer();
  const server = await scripted(pve.script, { ownVersion: true });
  pve.login = () => ok({ ticket: 'PVE:root@pam:1::a+b/c==', CSRFPreventionToken: 'csrf:1' });
  pve.valid.add('PVE:root@pam:1::a+b/c==');
  const connecting = connect(server.connection({ auth: passwordAuth() }));
  const { api } = await connecting;
  await api.nodes.$('pve').qemu.$(101).config.$put({ tags: 'a' });
  await api.nodes.$('pve').qemu.$(101).snapshot.$('x').$delete();
  const [login, , put, remove] = server.requests;
  expect(login?.headers['content-type']).toBe('application/x-www-form-urlencoded');
  // PVE's form parser splits on ";" as well as on "&".
  expect(login?.body).toBe('username=root%40pam&password=pa%3Bss%26word%3D100%25');
  expect(server.requests.slice(1).map(({ headers }) => headers.cookie)).toEqual(
    Array(3).fill('PVEAuthCookie=PVE%3Aroot%40pam%3A1%3A%3Aa%2Bb%2Fc%3D%3D'),
  );
  expect(server.requests.slice(1).map(({ headers }) => headers.csrfpreventiontoken)).toEqual([
    undefined,
    'csrf:1',
    'csrf:1',
  ]);
  expect(put?.method).toBe('PUT');
  expect(remove?.method).toBe('DELETE');
  expect(pve.logins).toHaveLength(1);
});

test('after an hour the ticket itself is the password of its renewal', async ({ scripted, connect }) => {
  const pve = ticketServer();
  const clock = fakeClock();
  const server = await scripted(pve.script);
  const { api } = await connect(server.connection({ auth: passwordAuth() }), clock);
  clock.advance(HOUR_MS - 1);
  await api.nodes.$get();
  expect(pve.logins).toEqual([{ password: PASSWORD }]);
  clock.advance(1);
  await Promise.all([api.nodes.$get(), api.nodes.$get(), api.nodes.$get()]);
  expect(pve.logins).toEqual([{ password: PASSWORD }, { password: 'PVE:root@pam:1::a+b/c==' }]);
  expect(server.requests.at(-1)?.headers.cookie).toContain('%3A2%3A%3A');
});

test('a renewal that is refused falls back to the password', async ({ scripted, connect }) => {
  const pve = ticketServer();
  const clock = fakeClock();
  const server = await scripted(pve.script);
  const { api } = await connect(server.connection({ auth: passwordAuth() }), clock);
  pve.valid.clear();
  clock.advance(3 * HOUR_MS);
  await api.nodes.$get();
  expect(pve.logins.map(({ password }) => password)).toEqual([PASSWORD, 'PVE:root@pam:1::a+b/c==', PASSWORD]);
});

test('a renewal that fails for a passing reason leaves the old ticket in use', async ({
  scripted,
  connect,
}) => {
  const pve = ticketServer();
  const clock = fakeClock();
  const server = await scripted(pve.script);
  const { api } = await connect(server.connection({ auth: passwordAuth() }), clock);
  pve.login = () => ({ status: 596, reason: 'Connection timed out' });
  clock.advance(HOUR_MS);
  await api.nodes.$get();
  expect(server.requests.at(-1)?.headers.cookie).toContain('%3A1%3A%3A');
  pve.login = undefined;
  await api.nodes.$get();
  expect(pve.logins.map(({ password }) => password).slice(1)).toEqual(
    Array(2).fill('PVE:root@pam:1::a+b/c=='),
  );
  expect(server.requests.at(-1)?.headers.cookie).toContain('%3A3%3A%3A');
});

for (const reason of REFUSALS) {
  test(`a ticket that died early is replaced, whatever the wording: ${reason}`, async ({
    scripted,
    connect,
  }) => {
    const pve = ticketServer();
    const server = await scripted(pve.script);
    const { api } = await connect(server.connection({ auth: passwordAuth() }));
    await api.nodes.$get();
    pve.valid.clear();
    pve.reason = reason;
    expect(await api.nodes.$get()).toEqual([]);
    pve.valid.clear();
    await api.nodes.$('pve').qemu.$(101).status.start.$post();
    expect(server.calls().filter((call) => call.startsWith('POST /nodes'))).toHaveLength(2);
    expect(pve.logins.map(({ password }) => password)).toEqual(Array(3).fill(PASSWORD));
  });
}

test('calls that are refused together share one log-in', async ({ scripted, connect }) => {
  const pve = ticketServer();
  const server = await scripted(pve.script);
  const { api } = await connect(server.connection({ auth: passwordAuth() }));
  await api.nodes.$get();
  pve.valid.clear();
  await Promise.all(Array.from({ length: 6 }, () => api.nodes.$get()));
  expect(pve.logins).toHaveLength(2);
});

test('a ticket that is refused twice ends it: no endless log-ins', async ({ scripted, connect }) => {
  const server = await scripted(({ path }) =>
    path === '/access/ticket'
      ? ok({ ticket: 'PVE:root@pam:1', CSRFPreventionToken: 'x' })
      : { status: 401, reason: 'Authentication failed!' },
  );
  const { api } = await connect(server.connection({ auth: passwordAuth() }));
  await expect(api.nodes.$get()).rejects.toMatchObject({ code: 'PROXMOX_AUTH_FAILED' });
  expect(server.calls().filter((call) => call === 'GET /nodes')).toHaveLength(2);
});

test('a wrong password is told from a wrong token, each after one request and without its value', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(
    ({ path }) =>
      path === '/access/ticket'
        ? refusal(401, 'authentication failure')
        : { status: 401, reason: 'Authentication failed!' },
    { ownVersion: true },
  );
  const password = await failure(connect(server.connection({ auth: passwordAuth() })));
  expect(password).toMatchObject({ code: 'PROXMOX_AUTH_FAILED', seen: '401 authentication failure' });
  expect(password.message).toContain('the password of root@pam is refused');
  expect(password.message).toContain('PROXMOX_PASSWORD');
  const token = await failure(connect(server.connection()));
  expect(token).toMatchObject({ code: 'PROXMOX_AUTH_FAILED', seen: '401 Authentication failed!' });
  expect(token.message).toContain('the API token root@pam!ci is refused');
  expect(server.calls()).toEqual(['POST /access/ticket', 'GET /version']);
});

test('a failed log-in is not kept: the next call logs in anew', async ({ scripted, connect }) => {
  const pve = ticketServer();
  const clock = fakeClock();
  const server = await scripted(pve.script);
  const { api } = await connect(server.connection({ auth: passwordAuth() }), clock);
  await api.nodes.$get();
  pve.valid.clear();
  pve.login = () => refusal(401, 'authentication failure');
  await expect(api.nodes.$get()).rejects.toMatchObject({ code: 'PROXMOX_AUTH_FAILED' });
  pve.login = undefined;
  expect(await api.nodes.$get()).toEqual([]);
});

test('a second factor is said to be needed, with the way out', async ({ scripted, connect }) => {
  const server = await scripted(() => ok({ NeedTFA: 1, ticket: 'PVE:!tfa!%7B', CSRFPreventionToken: 'x' }), {
    ownVersion: true,
  });
  const error = await failure(connect(server.connection({ auth: passwordAuth() })));
  expect(error).toMatchObject({ code: 'PROXMOX_TFA_REQUIRED' });
  expect(error.message).toContain('PROXMOX_TOKEN_ID');
});

test('the lab lets in by password and by token, and an expired ticket is renewed unseen', async ({
  lab,
  connect,
}) => {
  const byToken = await connect(labConnection(lab));
  expect(byToken.release).toBe('9.2');
  const byPassword = await connect(labConnection(lab, 'password'));
  lab.access.expireTickets();
  const vm = await byPassword.findVm('fedora42');
  lab.access.expireTickets();
  await vm.setConfig({ tags: 'renewed' });
  expect(lab.machine('fedora42').config.tags).toBe('renewed');
  expect(lab.requests.filter(({ path }) => path.endsWith('/access/ticket'))).toHaveLength(3);
});

test('the lab refuses a wrong token and a wrong password', async ({ lab, connect }) => {
  const wrong = new Secret('PROXMOX_TOKEN_SECRET', 'ffffffff-0000-0000-0000-000000000000');
  const token = { type: 'token', id: lab.access.tokenId, secret: wrong } as const;
  await expect(connect({ ...labConnection(lab), auth: token })).rejects.toMatchObject({
    code: 'PROXMOX_AUTH_FAILED',
  });
  const password = { type: 'password', user: 'root@pam', password: wrong } as const;
  await expect(connect({ ...labConnection(lab), auth: password })).rejects.toMatchObject({
    code: 'PROXMOX_AUTH_FAILED',
  });
});
