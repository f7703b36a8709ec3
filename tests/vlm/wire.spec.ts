/**
 * Anthropic's and Google's wire formats: what is sent, and what comes of their answers and errors.
 */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, test as base } from '@playwright/test';
import { Secret } from '../../fixtures/secrets/index.ts';
import { type VlmSettings, vlmSettings } from '../../fixtures/config/vlm.ts';
import { parseAnswer } from '../../fixtures/vision/vlm/answer.ts';
import { askEndpoint, type EndpointReply } from '../../fixtures/vision/vlm/endpoint.ts';
import { promptFor } from '../../fixtures/vision/vlm/prompt.ts';
import { vmwrightError } from './support/fixtures.ts';

const KEY = 'key-of-the-wire-test';
const IMAGE = Buffer.from('89504e470d0a1a0a', 'hex');
const ANSWER = JSON.stringify({ evidence: [], reason: 'no dialog', verdict: 'fail' });

interface Request {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface Wire {
  readonly url: string;
  readonly requests: Request[];
  reply: { readonly status: number; readonly body: object };
}

const test = base.extend<{ wire: Wire }>({
  wire: async ({}, use) => {
    const requests: Request[] = [];
    const server = createServer((request, response) => {
      void json(request).then((body) => {
        requests.push({ path: request.url ?? '', headers: request.headers, text: JSON.stringify(body) });
        const { status, body: reply } = wire.reply;
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
      });
    });
    server.listen(0, '127.0.0.1');
    await new Promise((done) => server.once('listening', done));
    const wire: Wire = {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      requests,
      reply: { status: 200, body: {} },
    };
    await use(wire);
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  },
});

/** Shapes of the providers' public API references. */
const PROVIDERS = [
  {
    provider: 'anthropic',
    model: 'claude-sonnet-4-5',
    path: '/messages',
    key: 'x-api-key',
    answer: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5',
      content: [{ type: 'text', text: ANSWER }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 1200, output_tokens: 40 },
    },
    failure: (message: string) => ({ type: 'error', error: { type: 'api_error', message } }),
  },
  {
    provider: 'google',
    model: 'gemini-2.5-flash',
    path: '/models/gemini-2.5-flash:generateContent',
    key: 'x-goog-api-key',
    answer: {
      candidates: [{ content: { role: 'model', parts: [{ text: ANSWER }] }, finishReason: 'STOP', index: 0 }],
      usageMetadata: { promptTokenCount: 1200, candidatesTokenCount: 40, totalTokenCount: 1240 },
    },
    failure: (message: string) => ({ error: { code: 400, message, status: 'FAILED' } }),
  },
] as const;

function settingsOf(url: string, provider: string, model: string): VlmSettings {
  return vlmSettings({ VLM_BASE_URL: url, VLM_PROVIDER: provider, VLM_MODEL: model, VLM_API_KEY: KEY });
}

for (const { provider, model, path, key, answer, failure } of PROVIDERS) {
  const ask = (url: string): Promise<EndpointReply> => {
    const [endpoint] = settingsOf(url, provider, model).endpoints;
    const view = { width: 640, height: 480, source: { width: 640, height: 480 } };
    const prompt = promptFor('verdict', 'an error dialog is shown', 'n0nce', 'pixels', view);
    return askEndpoint(endpoint!, { prompt, image: IMAGE, model, temperature: 0, timeoutMs: 5000 });
  };

  test(`${provider}: picture, claim, schema and model are sent, the key in its header alone; the answer is read`, async ({
    wire,
  }) => {
    wire.reply = { status: 200, body: answer };
    const reply = await ask(wire.url);
    expect(reply).toMatchObject({ finish: 'stop', usage: { input: 1200, output: 40 } });
    expect(JSON.parse(reply.text)).toEqual(JSON.parse(ANSWER));
    const [request] = wire.requests;
    expect(wire.requests).toHaveLength(1);
    expect(request?.path).toBe(path);
    expect(request?.headers[key]).toBe(KEY);
    expect(request?.text).not.toContain(KEY);
    expect(`${request?.path} ${request?.text}`).toContain(model);
    for (const part of [
      IMAGE.toString('base64'),
      'image/png',
      'an error dialog is shown',
      'n0nce',
      'verdict',
    ])
      expect(request?.text).toContain(part);
    expect(request?.text, 'a schema').toMatch(/"enum":\["pass","fail","unsure"\]/);
  });

  for (const [status, code] of [
    [401, 'VLM_AUTH_FAILED'],
    [400, 'VLM_REFUSED'],
    [429, 'VLM_RATE_LIMITED'],
    [529, 'VLM_SERVER_ERROR'],
  ] as const) {
    test(`${provider}: HTTP ${status} is ${code}, asked once, and no word of the key`, async ({ wire }) => {
      new Secret('VLM_API_KEY', KEY);
      wire.reply = { status, body: failure(`scripted, with ${KEY}`) };
      const error = await vmwrightError(ask(wire.url));
      expect(error.code).toBe(code);
      expect(error.message).toContain(`HTTP ${status}`);
      expect(error.message).not.toContain(KEY);
      expect(wire.requests).toHaveLength(1);
    });
  }

  test(`${provider}: an answer of another shape is no verdict`, async ({ wire }) => {
    wire.reply = { status: 200, body: { hello: 'world' } };
    const code = await ask(wire.url).then(
      (reply) => parseAnswer(reply, { unwrap: false }),
      (error: unknown) => error,
    );
    // Google's kit takes it for an answer without any candidate.
    expect(code).toMatchObject({ code: provider === 'google' ? 'VLM_ANSWER_EMPTY' : 'VLM_PROTOCOL_ERROR' });
  });
}
