/**
 * `vmwright mcp`: machines, runs and traces for a coding agent, on standard input and output.
 *
 * @module
 */
import { Writable } from 'node:stream';
import { readEnvironment } from '../fixtures/config/index.ts';
import { VmwrightError } from '../fixtures/errors.ts';
import { tell } from '../fixtures/secrets/index.ts';
import { Access } from './mcp/access.ts';
import { makeServer } from './mcp/server.ts';
import { Workspace } from './mcp/workspace.ts';
import { loadMatrix } from './plan.ts';

export interface McpOptions {
  readonly matrix: string;
  /** Machines for the agent. Default: all that the matrix does not leave out. */
  readonly project?: readonly string[];
  readonly approve?: string;
  /** No tool that touches a machine or writes a file. */
  readonly readOnly?: true;
  /** The folder of the specs. */
  readonly specs: string;
}

/**
 * Serves until standard input ends, or Ctrl+C; then what is open is given back.
 *
 * @throws `MCP_MISSING`, `PLAN_INVALID`, `PATH_OUTSIDE`
 */
export async function mcp(options: McpOptions): Promise<void> {
  const [{ McpServer }, { StdioServerTransport }] = await loadSdk();
  const { machines } = await loadMatrix(options.matrix);
  const chosen = options.project ?? machines.filter(({ skip }) => skip === undefined).map(({ name }) => name);
  const readOnly = options.readOnly === true;
  const env = readEnvironment();
  const access = new Access({ machines, chosen, readOnly, approval: options.approve, env });
  const say = (line: string): void => tell(process.stderr, `vmwright mcp: ${line}\n`);
  if (!access.isApproved)
    say(
      `an agent may ${readOnly ? 'look at' : 'use'} ${chosen.join(', ')} once a person adds --approve ${access.token}`,
    );
  const { server, hands } = makeServer(McpServer, access, new Workspace(process.cwd(), options.specs), say);
  try {
    await server.connect(new StdioServerTransport(process.stdin, protocolOutput()));
    await over();
    await server.close();
  } finally {
    await hands[Symbol.asyncDispose]();
  }
}

/** An optional package. @throws `MCP_MISSING` */
async function loadSdk(): Promise<
  [
    typeof import('@modelcontextprotocol/sdk/server/mcp.js'),
    typeof import('@modelcontextprotocol/sdk/server/stdio.js'),
  ]
> {
  try {
    return await Promise.all([
      import('@modelcontextprotocol/sdk/server/mcp.js'),
      import('@modelcontextprotocol/sdk/server/stdio.js'),
    ]);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new VmwrightError({
      code: 'MCP_MISSING',
      subject: 'vmwright mcp',
      message: 'the package @modelcontextprotocol/sdk is not installed',
      next: 'npm install --save-dev @modelcontextprotocol/sdk',
      cause,
    });
  }
}

/** Standard output is the protocol's; what else is said there goes to standard error. */
function protocolOutput(): Writable {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      write(chunk, (error) => done(error));
    },
  });
}

function over(): Promise<void> {
  return new Promise((done) => {
    process.stdin.once('end', done);
    process.stdin.once('close', done);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
  });
}
