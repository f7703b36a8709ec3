/** `/nodes/{node}/qemu/{vmid}/agent/...`. @module */
import type { AgentReply } from '../../guests/guest.ts';
import { ApiError } from '../errors.ts';
import type { Route } from '../permissions.ts';
import type { Machine } from '../machine.ts';
import { type Call, type Endpoint, machineOf, text } from '../router.ts';
import { hasAgent } from './nodes.ts';

/** Commands whose answer PVE hands through as `{ result }`, agent-side errors included. */
const QUESTIONS = [
  'get-osinfo',
  'get-host-name',
  'get-time',
  'get-timezone',
  'get-users',
  'get-vcpus',
  'get-fsinfo',
  'info',
  'network-get-interfaces',
] as const;
const ORDERS = ['ping', 'fsfreeze-status', 'shutdown'] as const;

async function ask(
  machine: Machine,
  command: string,
  args: Record<string, unknown> = {},
): Promise<AgentReply> {
  if (!hasAgent(machine)) throw new ApiError(500, 'No QEMU guest agent configured');
  if (!machine.isRunning()) throw new ApiError(500, `VM ${machine.vmid} is not running`);
  if (machine.isAgentStuck || (await machine.guest.agent('guest-ping', {})) === undefined) {
    throw new ApiError(500, 'QEMU guest agent is not running');
  }
  const reply = command === 'guest-ping' ? { return: {} } : await machine.guest.agent(command, args);
  if (reply === undefined)
    throw new ApiError(500, `VM ${machine.vmid} qga command '${command}' failed - got timeout`);
  return reply;
}

/** What an agent says in other letters than Latin-1 breaks the answer of pvedaemon, and pveproxy tells of a broken pipe. */
function refuseWide(text: string): void {
  if (/[^\u0000-\u00ff]/.test(text)) throw new ApiError(596, 'Broken pipe', { bodiless: true });
}

/** Perl's bytes of a text: MIME::Base64 takes each character for one. */
function perlBytes(text: string): Buffer {
  if (/[^\u0000-\u00ff]/.test(text)) throw new ApiError(500, 'Wide character in subroutine entry');
  return Buffer.from(text, 'latin1');
}

/** The value of a reply; exec and file commands turn an agent's error into a 500. */
async function value(machine: Machine, command: string, args: Record<string, unknown>): Promise<unknown> {
  const reply = await ask(machine, command, args);
  if ('error' in reply) {
    refuseWide(reply.error.desc);
    throw new ApiError(500, `Agent error: ${reply.error.desc}`);
  }
  return reply.return;
}

function simple(route: Route, name: string): Endpoint {
  return {
    route,
    rules: {},
    async handle(call) {
      const reply = await ask(machineOf(call), `guest-${name}`);
      return { data: { result: 'error' in reply ? { error: reply.error } : reply.return } };
    },
  };
}

function decoded(status: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(status)) {
    const isText = (key === 'out-data' || key === 'err-data') && typeof item === 'string';
    result[key] = isText
      ? Buffer.from(item, 'base64').toString('latin1')
      : typeof item === 'boolean'
        ? Number(item)
        : item;
  }
  return result;
}

async function readFile(call: Call): Promise<unknown> {
  const machine = machineOf(call);
  const handle = await value(machine, 'guest-file-open', { path: text(call, 'file'), mode: 'r' });
  try {
    const chunk = (await value(machine, 'guest-file-read', { handle, count: 16 * 1024 * 1024 })) as {
      'buf-b64': string;
      count: number;
    };
    return { content: Buffer.from(chunk['buf-b64'], 'base64').toString('latin1'), 'bytes-read': chunk.count };
  } finally {
    await value(machine, 'guest-file-close', { handle });
  }
}

async function writeFile(call: Call): Promise<null> {
  const machine = machineOf(call);
  const content = text(call, 'content') ?? '';
  const base64 = call.parameters.encode === false ? content : Buffer.from(content).toString('base64');
  const handle = await value(machine, 'guest-file-open', { path: text(call, 'file'), mode: 'w' });
  try {
    await value(machine, 'guest-file-write', { handle, 'buf-b64': base64 });
  } finally {
    await value(machine, 'guest-file-close', { handle });
  }
  return null;
}

export const agentEndpoints: readonly Endpoint[] = [
  ...QUESTIONS.map((name) => simple(`GET /nodes/{node}/qemu/{vmid}/agent/${name}`, name)),
  ...ORDERS.map((name) => simple(`POST /nodes/{node}/qemu/{vmid}/agent/${name}`, name)),
  {
    route: 'POST /nodes/{node}/qemu/{vmid}/agent/exec',
    rules: {
      command: { type: 'array', required: true },
      'input-data': { type: 'string', maxLength: 65_536 },
    },
    async handle(call) {
      const [path = '', ...arg] = call.parameters.command as string[];
      const input = text(call, 'input-data');
      const bytes = input === undefined ? undefined : perlBytes(input);
      const machine = machineOf(call);
      if ([path, ...arg].some((part) => /[^\u0000-\u007f]/.test(part))) {
        // The length that PVE tells the agent is one of characters: the agent waits for more, and for good.
        await ask(machine, 'guest-ping');
        machine.isAgentStuck = true;
        throw new ApiError(500, `VM ${machine.vmid} qga command 'guest-exec' failed - got timeout`);
      }
      const reply = await ask(machine, 'guest-exec', {
        path,
        arg,
        'capture-output': true,
        ...(bytes === undefined ? {} : { 'input-data': bytes.toString('base64') }),
      });
      if ('error' in reply) {
        refuseWide(reply.error.desc);
        throw new ApiError(500, `Agent error: Guest agent command failed, error was '${reply.error.desc}'`);
      }
      return { data: reply.return };
    },
  },
  {
    route: 'GET /nodes/{node}/qemu/{vmid}/agent/exec-status',
    rules: { pid: { type: 'integer', required: true } },
    async handle(call) {
      const status = await value(machineOf(call), 'guest-exec-status', { pid: call.parameters.pid });
      return { data: decoded(status as Record<string, unknown>) };
    },
  },
  {
    route: 'GET /nodes/{node}/qemu/{vmid}/agent/file-read',
    rules: { file: { type: 'string', required: true } },
    handle: async (call) => ({ data: await readFile(call) }),
  },
  {
    route: 'POST /nodes/{node}/qemu/{vmid}/agent/file-write',
    rules: {
      file: { type: 'string', required: true },
      content: { type: 'string', required: true, maxLength: 61_440 },
      encode: { type: 'boolean' },
    },
    handle: async (call) => ({ data: await writeFile(call) }),
  },
];
