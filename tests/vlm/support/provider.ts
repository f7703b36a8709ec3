/**
 * A scripted model behind real HTTP: the chat completions of OpenAI's wire format, on loopback.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import sharp from 'sharp';

/** One request, as it came. */
export interface Call {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
  readonly system: string;
  readonly user: string;
  readonly image: Buffer;
  /** SHA-256 of the picture's pixels. */
  readonly pixels: string;
  readonly size: { readonly width: number; readonly height: number };
  /** What stands between the marks. */
  readonly claim: string;
  readonly kind: 'verdict' | 'negation' | 'place';
}

/** What the model does with a request. */
export type Act =
  | { readonly text: string; readonly finish?: string; readonly reasoning?: string }
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly raw: string }
  | 'hang'
  | 'endless'
  | 'half'
  | 'reset';

export interface Provider {
  readonly url: string;
  readonly calls: Call[];
  /** The acts of the next requests, or what decides them; the last of a list stays. */
  act: Act | Act[] | ((call: Call) => Act);
  stop(): Promise<void>;
}

/** An answer in the asked shape. */
export function answer(
  verdict: string,
  evidence: readonly { readonly quote: string; readonly box: readonly number[] }[] = [],
  reason = 'as scripted',
): Act {
  return { text: JSON.stringify({ evidence, reason, verdict }) };
}

export function place(box: readonly number[]): Act {
  return { text: JSON.stringify({ found: true, box }) };
}

/** Tokens that each answer reports. */
export const USAGE = { prompt_tokens: 1200, completion_tokens: 40 };

export async function startProvider(act: Provider['act'] = answer('unsure')): Promise<Provider> {
  const calls: Call[] = [];
  const held = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    void json(request).then(async (body) => {
      const call = await read(request.url ?? '', request.headers, body as Body);
      calls.push(call);
      const { act: script } = provider;
      const next = Array.isArray(script)
        ? (script[Math.min(calls.length, script.length) - 1] ?? 'reset')
        : typeof script === 'function'
          ? script(call)
          : script;
      perform(next, response, held);
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const provider: Provider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    act,
    async stop() {
      for (const response of held) response.destroy();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return provider;
}

interface Body extends Record<string, unknown> {
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

async function read(path: string, headers: IncomingHttpHeaders, body: Body): Promise<Call> {
  const system = String(body.messages.find(({ role }) => role === 'system')?.content);
  const parts = body.messages.find(({ role }) => role === 'user')?.content as readonly {
    readonly type: string;
    readonly text?: string;
    readonly image_url?: { readonly url: string };
  }[];
  const user = parts.find(({ type }) => type === 'text')?.text ?? '';
  const url = parts.find(({ type }) => type === 'image_url')?.image_url?.url ?? '';
  const image = Buffer.from(url.replace('data:image/png;base64,', ''), 'base64');
  const { data, info } = await sharp(image).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return {
    path,
    headers,
    body,
    system,
    user,
    image,
    pixels: createHash('sha256').update(data).digest('hex'),
    size: { width: info.width, height: info.height },
    claim: /<<(\w+)\n([^]*)\n\1>>$/.exec(user)?.[2] ?? '',
    kind: user.startsWith('What to find')
      ? 'place'
      : user.includes('Judge the opposite')
        ? 'negation'
        : 'verdict',
  };
}

function perform(act: Act, response: ServerResponse, held: Set<ServerResponse>): void {
  if (act === 'hang') {
    held.add(response);
    return;
  }
  if (act === 'reset') {
    response.destroy();
    return;
  }
  if (act === 'endless') {
    const pieces = function* (): Generator<string> {
      for (;;) yield ' '.repeat(1 << 20);
    };
    response.writeHead(200, { 'content-type': 'application/json' });
    // Until the client hangs up.
    pipeline(Readable.from(pieces()), response, () => undefined);
    return;
  }
  if (act === 'half') {
    const whole = completion({ text: JSON.stringify({ evidence: [], reason: 'half', verdict: 'pass' }) });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length });
    response.write(whole.slice(0, whole.length / 2), () => response.destroy());
    return;
  }
  if ('status' in act) {
    const body = act.body ?? JSON.stringify({ error: { message: `scripted ${act.status}` } });
    response.writeHead(act.status, { 'content-type': 'application/json', ...act.headers }).end(body);
    return;
  }
  const body = 'raw' in act ? act.raw : completion(act);
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}

function completion(act: { readonly text: string; readonly finish?: string; readonly reasoning?: string }) {
  return JSON.stringify({
    id: 'scripted',
    object: 'chat.completion',
    created: 0,
    model: 'scripted-vl',
    choices: [
      {
        index: 0,
        finish_reason: act.finish ?? 'stop',
        message: {
          role: 'assistant',
          content: act.text,
          ...(act.reasoning === undefined ? {} : { reasoning_content: act.reasoning }),
        },
      },
    ],
    usage: USAGE,
  });
}
