/** Known weaknesses in what users install. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@playwright/test';
import { audit } from './support/audit.ts';

test('no dependency of users has a known weakness that is high or critical', async () => {
  const result = await audit();
  test.skip(!result.answered, `not audited: ${result.answered ? '' : result.reason}`);
  expect(result.answered ? result.severe : []).toEqual([]);
});

test('the audit tells weaknesses, a clean answer and no answer apart', async ({}, info) => {
  const bulk = '/-/npm/v1/security/advisories/bulk';
  const advisory = {
    id: 1,
    url: 'https://example.com/advisory',
    title: 'planted',
    severity: 'critical',
    vulnerable_versions: '*',
  };
  const asked: string[] = [];
  const answers: Readonly<Record<string, { status: number; body: string }>> = {
    '/severe': { status: 200, body: JSON.stringify({ ssh2: [advisory] }) },
    '/mild': { status: 200, body: JSON.stringify({ ssh2: [{ ...advisory, severity: 'low' }] }) },
    '/clean': { status: 200, body: '{}' },
    '/none': { status: 405, body: '' },
  };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const answer = answers[path.replace(bulk, '')];
    response.writeHead(path.endsWith(bulk) ? (answer?.status ?? 404) : 404);
    response.end(path.endsWith(bulk) ? answer?.body : '');
  });
  const origin = await listening(server);
  try {
    const at = (path: string) =>
      audit({ registry: `${origin}${path}`, cache: info.outputPath(`cache${path}`) });
    expect(await at('/severe')).toEqual({ answered: true, severe: ['ssh2: critical'] });
    expect(await at('/mild')).toEqual({ answered: true, severe: [] });
    expect(await at('/clean')).toEqual({ answered: true, severe: [] });
    expect(await at('/none')).toEqual({ answered: false, reason: expect.stringContaining('405') });
    expect(asked).toContain(`/severe${bulk}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

async function listening(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
