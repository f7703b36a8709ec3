import { inspect } from 'node:util';
import { expect } from '@playwright/test';
import { isVmwrightError } from '../../fixtures/errors.ts';
import { isOutcomeUnknown, ProxmoxError } from '../../fixtures/proxmox/errors.ts';
import { Secret } from '../../fixtures/secrets/index.ts';
import { fakeClock } from './support/clock.ts';
import { failure, labConnection, test } from './support/fixtures.ts';
import {
  ok,
  PASSWORD,
  passwordAuth,
  refusal,
  type ScriptedReply,
  TOKEN_SECRET,
} from './support/scripted-server.ts';

interface Example {
  readonly reply: ScriptedReply;
  readonly code: string;
  readonly text: string;
  readonly says?: string;
}

const CONFIG_MISSING = "Configuration file 'nodes/pve/qemu-server/100.conf' does not exist";
const NODE_MISSING =
  "hostname lookup 'xyz' failed - failed to get address info for: xyz: Name or service not known";
const LOCK_TIMEOUT = "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout";

/** Replies of pveproxy, and what they are to a user. */
const EXAMPLES: readonly Example[] = [
  { reply: refusal(500, CONFIG_MISSING), code: 'VM_NOT_FOUND', text: CONFIG_MISSING },
  {
    reply: { status: 500, reason: CONFIG_MISSING, json: { data: null } },
    code: 'VM_NOT_FOUND',
    text: CONFIG_MISSING,
  },
  { reply: refusal(500, NODE_MISSING), code: 'NODE_NOT_FOUND', text: NODE_MISSING },
  {
    reply: refusal(500, 'VM is locked (snapshot)'),
    code: 'VM_LOCKED',
    text: 'VM is locked (snapshot)',
    says: 'qm unlock',
  },
  { reply: refusal(500, LOCK_TIMEOUT), code: 'VM_BUSY', text: LOCK_TIMEOUT },
  { reply: refusal(500, 'VM 100 not running'), code: 'VM_NOT_RUNNING', text: 'VM 100 not running' },
  {
    reply: refusal(500, 'QEMU guest agent is not running'),
    code: 'AGENT_NOT_RUNNING',
    text: 'QEMU guest agent is not running',
  },
  {
    reply: refusal(500, 'No QEMU guest agent configured'),
    code: 'AGENT_NOT_CONFIGURED',
    text: 'No QEMU guest agent configured',
  },
  {
    reply: refusal(500, "snapshot 'x' does not exist"),
    code: 'SNAPSHOT_NOT_FOUND',
    text: "snapshot 'x' does not exist",
  },
  {
    reply: refusal(500, 'checksum mismatch (file change by other user?)'),
    code: 'CONFIG_CHANGED',
    text: 'checksum mismatch (file change by other user?)',
  },
  {
    reply: refusal(500, 'checksum missmatch (file change by other user?)'),
    code: 'CONFIG_CHANGED',
    text: 'checksum missmatch (file change by other user?)',
  },
  {
    reply: refusal(403, 'Permission check failed (/vms/100, VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted)'),
    code: 'PROXMOX_FORBIDDEN',
    text: 'Permission check failed (/vms/100, VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted)',
    says: 'the privilege VM.GuestAgent.Audit or VM.GuestAgent.Unrestricted is missing on /vms/100',
  },
  {
    reply: refusal(400, 'Parameter verification failed.', {
      vmid: 'invalid format - value does not look like a valid VM ID\n',
    }),
    code: 'PROXMOX_REQUEST_FAILED',
    text: 'Parameter verification failed.',
    says: '400 Parameter verification failed.; vmid: invalid format - value does not look like a valid VM ID',
  },
  {
    reply: {
      status: 400,
      reason: 'Parameter verification failed.',
      json: { errors: { pid: 'property is missing and it is not optional' }, data: null },
    },
    code: 'PROXMOX_REQUEST_FAILED',
    text: 'Parameter verification failed.',
    says: 'pid: property is missing and it is not optional',
  },
  {
    reply: { status: 595, reason: 'No route to host' },
    code: 'PROXMOX_NODE_UNREACHABLE',
    text: 'No route to host',
  },
  {
    reply: { status: 596, reason: 'Connection timed out' },
    code: 'PROXMOX_NODE_UNREACHABLE',
    text: 'Connection timed out',
  },
  {
    reply: refusal(500, 'something else broke'),
    code: 'PROXMOX_REQUEST_FAILED',
    text: 'something else broke',
  },
  {
    reply: { status: 502, reason: 'Bad Gateway', html: '<html>nginx</html>' },
    code: 'PROXMOX_REQUEST_FAILED',
    text: 'Bad Gateway',
  },
  {
    reply: { status: 200, reason: 'OK', html: '<html>a web page</html>' },
    code: 'PROXMOX_REQUEST_FAILED',
    text: 'OK',
    says: 'PROXMOX_HOST',
  },
  {
    reply: { status: 301, reason: 'Moved Permanently' },
    code: 'PROXMOX_REQUEST_FAILED',
    text: 'Moved Permanently',
  },
];

for (const { reply, code, text, says } of EXAMPLES) {
  const source = reply.json === undefined ? 'reason phrase' : Object.keys(reply.json as object).join('+');
  test(`${reply.status ?? 200} ${text} (${source}) is ${code}`, async ({ scripted, connect }) => {
    const server = await scripted(() => reply);
    const { api } = await connect(server.connection(), fakeClock());
    const error = await failure(api.nodes.$('pve').qemu.$(100).status.current.$get());
    expect(isVmwrightError(error, code)).toBe(true);
    expect(error).toBeInstanceOf(ProxmoxError);
    expect(error).toMatchObject({
      code,
      httpStatus: reply.status,
      pveText: text,
      subject: 'Proxmox at 127.0.0.1',
    });
    expect(error.message).toContain(`${reply.status ?? 200} ${text}`);
    expect(error.message).toContain('GET /api2/json/nodes/pve/qemu/100/status/current');
    expect(error.message).toContain(says ?? 'next: ');
  });
}

test('a web page at the address of the API is told at once, not by a crash', async ({
  scripted,
  connect,
}) => {
  const server = await scripted(() => ({ html: '<html>router login</html>' }), { ownVersion: true });
  await expect(connect(server.connection())).rejects.toMatchObject({
    code: 'PROXMOX_REQUEST_FAILED',
    next: expect.stringContaining('PROXMOX_HOST'),
  });
});

test('LK9: an answer that does not end is given up after 64 MiB, is no silence, and is not asked for again', async ({
  scripted,
  connect,
}) => {
  const MiB = 1 << 20;
  for (const status of [200, 500]) {
    let sent = 0;
    const server = await scripted(() => ({
      status,
      pieces: (function* () {
        yield '{"data":"';
        const piece = 'a'.repeat(MiB);
        for (; sent < 200 * MiB; sent += MiB) yield piece;
        yield '"}';
      })(),
    }));
    const { api } = await connect(server.connection(), fakeClock());
    const vm = api.nodes.$('pve').qemu.$(100);
    const error = await failure(vm.status.current.$get());
    expect(error).toMatchObject({
      code: 'PROXMOX_ANSWER_TOO_LARGE',
      expected: 'at most 64 MiB',
      seen: `${status}, and more than that`,
      next: expect.stringContaining('ssh.download'),
    });
    expect(error.message).toContain('GET /api2/json/nodes/pve/qemu/100/status/current');
    expect(server.requests).toHaveLength(2);
    // What was under way when the client hung up.
    expect(sent).toBeLessThan(80 * MiB);
    // It may have been done.
    const changed = await failure(vm.config.$put({ tags: 'a' }));
    expect(isOutcomeUnknown(changed)).toBe(true);
    expect(server.calls().filter((call) => call.startsWith('PUT'))).toHaveLength(1);
  }
});

test('LK9: an answer of 60 MiB arrives whole', async ({ scripted, connect }) => {
  const text = 'é'.repeat(30 << 20);
  const server = await scripted(() => ({ pieces: ['{"data":{"exited":1,"out-data":"', text, '"}}'] }));
  const { api } = await connect(server.connection());
  const answer = await api.nodes.$('pve').qemu.$(100).agent['exec-status'].$get({ pid: 7 });
  expect((answer as Record<string, unknown>)['out-data'] === text).toBe(true);
});

test('LK9: of a refusal as long as a book an error quotes two thousand characters, and no half secret', async ({
  scripted,
  connect,
}) => {
  const secret = new Secret('BOOK_PASSWORD', 'Zt4-lantern-Quay');
  const book = `${'x'.repeat(1970)}${secret.reveal()}${'y'.repeat(1 << 20)}`;
  const server = await scripted(() => refusal(500, 'no', { description: book }));
  const { api } = await connect(server.connection(), fakeClock());
  const error = await failure(api.nodes.$('pve').qemu.$(100).status.current.$get());
  expect(error.message.length).toBeLessThan(3000);
  expect(error.message).not.toContain('Zt4-');
});

test('data: null is an answer', async ({ scripted, connect }) => {
  const server = await scripted(() => ok(null));
  const { api } = await connect(server.connection());
  expect(await api.nodes.$('pve').qemu.$(101).config.$put({ tags: 'a' })).toBeNull();
});

test('no error shows a password, a token or a ticket, in whatever way it is printed', async ({
  scripted,
  connect,
}) => {
  const ticket = 'PVE:root@pam:65F0AB12::c2VjcmV0LXRpY2tldA==';
  const secrets = [PASSWORD, TOKEN_SECRET, ticket, 'csrf-secret'];
  const forms = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
  ]);
  let broken: ScriptedReply | 'drop' = 'drop';
  const server = await scripted(({ path }) =>
    path === '/access/ticket' ? ok({ ticket, CSRFPreventionToken: 'csrf-secret' }) : broken,
  );
  const errors: Error[] = [];
  for (const auth of [server.connection().auth, passwordAuth()]) {
    const { api } = await connect(server.connection({ auth }), fakeClock());
    const start = () => failure(api.nodes.$('pve').qemu.$(101).status.start.$post());
    for (const answer of [
      'drop',
      refusal(500, 'something else broke'),
      refusal(403, 'Permission check failed (/vms/101, VM.PowerMgmt)'),
      { status: 401, reason: 'Authentication failed!' },
      { html: 'x' },
    ] as const) {
      broken = answer;
      errors.push(await start());
    }
  }
  const wrongLogin = await scripted(() => refusal(401, 'authentication failure'), { ownVersion: true });
  errors.push(await failure(connect(wrongLogin.connection({ auth: passwordAuth() }))));
  const untrusted = server.connection({ tls: {}, auth: passwordAuth() });
  errors.push(await failure(connect(untrusted)));
  expect(errors.map((error) => (error as { code?: string }).code)).toEqual([
    ...['PROXMOX_UNREACHABLE', 'PROXMOX_REQUEST_FAILED', 'PROXMOX_FORBIDDEN', 'PROXMOX_AUTH_FAILED'],
    ...['PROXMOX_REQUEST_FAILED', 'PROXMOX_UNREACHABLE', 'PROXMOX_REQUEST_FAILED', 'PROXMOX_FORBIDDEN'],
    ...['PROXMOX_AUTH_FAILED', 'PROXMOX_REQUEST_FAILED', 'PROXMOX_AUTH_FAILED', 'PROXMOX_TLS_UNTRUSTED'],
  ]);
  for (const error of errors) {
    const printed = [
      error.message,
      error.stack,
      JSON.stringify(error),
      inspect(error, { depth: 12, showHidden: true }),
    ].join('\n');
    for (const form of forms) expect(printed).not.toContain(form);
  }
});

test("the lab's errors are the same ones", async ({ lab, connect }) => {
  const { api } = await connect(labConnection(lab), fakeClock());
  const machine = api.nodes.$('pve').qemu.$(101);
  const cases: readonly (readonly [string, number, Promise<unknown>])[] = [
    ['VM_NOT_FOUND', 500, api.nodes.$('pve').qemu.$(999).status.current.$get()],
    ['NODE_NOT_FOUND', 500, api.nodes.$('nowhere').qemu.$get()],
    ['PROXMOX_REQUEST_FAILED', 400, api.nodes.$('pve').qemu.$(7).status.current.$get()],
    ['PROXMOX_REQUEST_FAILED', 400, machine.snapshot.$post({ snapname: '1' })],
    ['PROXMOX_REQUEST_FAILED', 500, machine.config.$put({})],
    ['CONFIG_CHANGED', 500, machine.config.$put({ tags: 'a', digest: '0'.repeat(40) })],
  ];
  for (const [code, httpStatus, call] of cases) {
    expect(await failure(call)).toMatchObject({ code, httpStatus });
  }
});
