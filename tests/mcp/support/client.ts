/**
 * A scripted client of the protocol's SDK: no model, every call as it stands here.
 *
 * @module
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { join } from 'node:path';
import { Access, type AccessOptions } from '../../../cli/mcp/access.ts';
import { makeServer } from '../../../cli/mcp/server.ts';
import { Workspace } from '../../../cli/mcp/workspace.ts';
import { tokenOf } from '../../../cli/approval.ts';
import { homeVariables } from '../../support/home.ts';
import { cleanEnvironment, ROOT } from '../../support/runner.ts';

export interface Answer {
  readonly text: string;
  readonly isError: boolean;
  /** A PNG. */
  readonly picture?: Buffer;
}

export interface Agent {
  /** Names of the tools. */
  readonly tools: readonly string[];
  call(tool: string, args?: Readonly<Record<string, unknown>>): Promise<Answer>;
  close(): Promise<void>;
}

/** Loaded machines beside OCR, a guest and a runner. Milliseconds. */
const PATIENCE_MS = 900_000;

async function agentOn(client: InstanceType<typeof Client>, close: () => Promise<void>): Promise<Agent> {
  const { tools } = await client.listTools();
  return {
    tools: tools.map(({ name }: { readonly name: string }) => name),
    call: async (name, args = {}) => {
      const request = { name, arguments: { ...args } };
      const result = await client.callTool(request, undefined, { timeout: PATIENCE_MS });
      const content = result.content as { type: string; text?: string; data?: string }[];
      const image = content.find(({ type }) => type === 'image')?.data;
      return {
        text: content.flatMap(({ text }) => text ?? []).join('\n'),
        isError: result.isError === true,
        ...(image === undefined ? {} : { picture: Buffer.from(image, 'base64') }),
      };
    },
    close,
  };
}

/** A server in this process, with the cluster of `process.env`. */
export async function agentHere(
  folder: string,
  access: Omit<AccessOptions, 'env'> & { readonly env?: NodeJS.ProcessEnv },
): Promise<Agent> {
  const { server, hands } = makeServer(
    McpServer,
    new Access({ env: {}, ...access }),
    new Workspace(folder, 'specs'),
    () => undefined,
  );
  const [mine, its] = InMemoryTransport.createLinkedPair();
  const client = new Client({ name: 'script', version: '1' });
  await Promise.all([server.connect(its), client.connect(mine)]);
  return agentOn(client, async () => {
    await client.close();
    await hands[Symbol.asyncDispose]();
  });
}

/** `vmwright mcp` as an agent's program starts it, for one machine that is approved. */
export async function agentOverStdio(
  folder: string,
  machine: string,
  env: Readonly<Record<string, string>>,
): Promise<Agent> {
  const token = tokenOf('agent', { machines: [machine], readOnly: false });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [
      ...['--import', 'tsx', join(ROOT, 'cli/main.ts'), 'mcp'],
      ...['--project', machine, '--approve', token],
    ],
    cwd: folder,
    env: Object.fromEntries(
      Object.entries({ ...cleanEnvironment(), ...homeVariables(join(folder, 'home')), ...env }).flatMap(
        ([name, value]) => (value === undefined ? [] : [[name, value]]),
      ),
    ),
  });
  const client = new Client({ name: 'script', version: '1' });
  await client.connect(transport);
  return agentOn(client, () => client.close());
}
