import { once } from 'node:events';
import { expect, test } from '@playwright/test';
import { WebSocket } from 'ws';
import { type Input, parseInput } from '../../fixtures/recorder/input.ts';
import { type RecorderServer, startRecorderServer } from '../../fixtures/recorder/server.ts';

let server: RecorderServer;
let inputs: Input[];
test.beforeEach(async () => {
  inputs = [];
  server = await startRecorderServer({
    onInput: (input) => inputs.push(input),
    greet: () => [{ type: 'state' }],
    onLeave: () => undefined,
  });
});
test.afterEach(async () => {
  await server.close();
});

/** How a WebSocket with these headers ends up: `open`, or the HTTP status of the refusal. */
async function knock(url: string, headers: Record<string, string>): Promise<string | number> {
  const socket = new WebSocket(url, { headers });
  const [outcome] = (await Promise.race([
    once(socket, 'open').then(() => ['open']),
    once(socket, 'unexpected-response').then(([, response]) => [
      (response as { statusCode: number }).statusCode,
    ]),
  ])) as [string | number];
  socket.on('error', () => undefined).terminate();
  return outcome;
}

test('only a page of this server that knows the key drives the machine', async () => {
  const { origin, host, pathname } = new URL(server.url);
  const screen = `ws://${host}${pathname}screen`;
  expect(await knock(screen, { origin })).toBe('open');
  expect(await knock(screen, { origin: 'http://evil.test' })).toBe(403);
  expect(await knock(screen, { origin: 'null' })).toBe(403);
  expect(await knock(screen, { origin: origin.replace('127.0.0.1', 'localhost') })).toBe(403);
  expect(await knock(screen, {})).toBe(403);
  expect(await knock(screen, { origin: 'http://rebound.test', host: 'rebound.test' })).toBe(403);
  expect(await knock(`ws://${host}/${'0'.repeat(32)}/screen`, { origin })).toBe(403);
  expect(await knock(`ws://${host}/screen`, { origin })).toBe(403);
});

test('the page is shown to who has its address, may not be framed, and loads nothing from elsewhere', async () => {
  const { origin } = new URL(server.url);
  const response = await fetch(server.url);
  expect(response.status).toBe(200);
  const policy = response.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
  expect(await response.text()).toContain(`<script nonce="${nonce}">`);
  expect((await fetch(`${origin}/`)).status).toBe(404);
  expect((await fetch(`${origin}/${'0'.repeat(32)}/`)).status).toBe(404);
  expect((await fetch(server.url, { method: 'POST' })).status).toBe(404);
  expect((await fetch(server.url, { headers: { origin: 'http://evil.test' } })).status).toBe(404);
});

test('what the page would never send ends the connection, and nothing is done', async () => {
  const { origin, host, pathname } = new URL(server.url);
  const wrong = [
    'no JSON',
    '{"type":"shell","command":"id"}',
    '{"type":"move","x":-1,"y":0}',
    '{"type":"move","x":1,"y":1,"extra":true}',
    '{"type":"secret","name":"path/../x"}',
    JSON.stringify({ type: 'expect', text: 'x'.repeat(5000) }),
  ];
  for (const message of wrong) {
    const socket = new WebSocket(`ws://${host}${pathname}screen`, { headers: { origin } });
    await once(socket, 'open');
    socket.send(message);
    await once(socket, 'close');
  }
  expect(inputs).toEqual([]);
  const socket = new WebSocket(`ws://${host}${pathname}screen`, { headers: { origin } });
  await once(socket, 'open');
  socket.send('{"type":"move","x":1,"y":2}');
  await expect.poll(() => inputs).toEqual([{ type: 'move', x: 1, y: 2 }]);
  socket.close();
  expect(parseInput('{"type":"modifier","key":"Meta"}')).toEqual({ type: 'modifier', key: 'Meta' });
});
