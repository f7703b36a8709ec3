/**
 * The tools that an agent gets, on the Model Context Protocol. Names and parameters are those of Playwright's own server
 * where it has them (`browser_click` is `vm_click`).
 *
 * @module
 */
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { VERSION } from '../../runs/version.ts';
import { replayRun, textOf } from '../replay-screen.ts';
import { listVms } from '../vms.ts';
import type { Access } from './access.ts';
import { type Content, quotedFromGuest, said } from './answers.ts';
import { Hands } from './hands.ts';
import { readTraces, runSpec } from './runs.ts';
import type { Workspace } from './workspace.ts';

/** What is used of the package. */
export type ServerClass = typeof McpServer;

interface Extra {
  readonly signal: AbortSignal;
  readonly _meta?: { readonly progressToken?: string | number };
  sendNotification(notification: {
    method: 'notifications/progress';
    params: { progressToken: string | number; progress: number; message: string };
  }): Promise<void>;
}

interface Result {
  readonly [key: string]: unknown;
  readonly content: Content[];
  readonly isError?: true;
}

const TARGET = z
  .string()
  .describe('A ref of the last vm_snapshot, or text=<text on the screen>, or label=<label of a field>');
const ELEMENT = z.string().optional().describe('What it is, in words, for whoever reads along');

/** The server with its tools, and the way to give back what is open. */
export function makeServer(
  Server: ServerClass,
  access: Access,
  workspace: Workspace,
  say: (line: string) => void,
): { readonly server: InstanceType<ServerClass>; readonly hands: Hands } {
  const server = new Server({ name: 'vmwright', version: VERSION });
  const hands = new Hands(access, say);
  let queue: Promise<unknown> = Promise.resolve();

  /** One call after the other: they share a machine. */
  const tool = <Shape extends z.ZodRawShape>(
    name: string,
    kind: 'reads' | 'acts',
    description: string,
    inputSchema: Shape,
    handle: (args: z.infer<z.ZodObject<Shape>>, extra: Extra) => Promise<readonly (Content | string)[]>,
  ): void => {
    if (access.readOnly && kind === 'acts') return;
    const run = async (args: unknown, extra: unknown): Promise<Result> => {
      try {
        const content = await handle(args as z.infer<z.ZodObject<Shape>>, extra as Extra);
        return { content: content.map((one) => (typeof one === 'string' ? said(one) : one)) };
      } catch (error) {
        return { content: [said(error instanceof Error ? error.message : String(error))], isError: true };
      }
    };
    const callback = (args: unknown, extra: unknown): Promise<Result> => {
      const next = queue.then(() => run(args, extra));
      queue = next;
      return next;
    };
    server.registerTool(
      name,
      { description, inputSchema, annotations: { readOnlyHint: kind === 'reads' } },
      callback as never,
    );
  };

  tool(
    'vm_list',
    'reads',
    'The machines: state, who uses each, whether you may touch it. Costs one API call a machine.',
    {},
    async () => {
      const rows = await listVms(access.machines, await hands.cluster());
      const notes = new Map(access.machines.map((machine) => [machine.name, access.noteOf(machine)]));
      const list = rows.map((row) => ({ ...row, agent: notes.get(row.machine) }));
      return [JSON.stringify(list, undefined, 1)];
    },
  );
  tool(
    'vm_open',
    'acts',
    'Take a machine for yourself and roll it back to its checkpoint: needed before anything else on it. Costs 5 to 60 s; others cannot use it until vm_close.',
    {
      machine: z.string(),
      keep: z.boolean().optional().describe('Leave it as it is: no rollback'),
    },
    async ({ machine, keep = false }) => [await hands.open(machine, keep)],
  );
  tool('vm_close', 'acts', 'Give the open machine back.', {}, async () => {
    const name = await hands.close();
    return [name === undefined ? 'No machine was open.' : `${name} is given back.`];
  });
  tool(
    'vm_launch',
    'acts',
    "Start the row's application from a clean state, on the open machine. Costs 5 to 60 s.",
    {},
    async () => {
      await hands.launch();
      return ['launched'];
    },
  );
  tool(
    'vm_snapshot',
    'reads',
    'The screen as text with refs and boxes, and as a picture. Costs 1 to 3 s, a line a text, and the picture (about 1,500 tokens; leave it out with picture: false).',
    {
      machine: z
        .string()
        .optional()
        .describe('Another machine, looked at without touching it; its refs cannot be used'),
      picture: z.boolean().optional(),
    },
    async ({ machine, picture = true }) => (await hands.snapshot(machine)).contents(picture),
  );
  tool(
    'vm_click',
    'acts',
    'Click. Costs under 1 s with a ref, up to 15 s where a text is waited for.',
    {
      element: ELEMENT,
      target: TARGET,
      doubleClick: z.boolean().optional(),
      button: z.enum(['left', 'right', 'middle']).optional(),
      modifiers: z.array(z.enum(['Alt', 'Control', 'Meta', 'Shift'])).optional(),
    },
    async ({ target, doubleClick, button, modifiers }) => {
      await hands.click(target, {
        ...(doubleClick === undefined ? {} : { doubleClick }),
        ...(button === undefined ? {} : { button }),
        ...(modifiers === undefined ? {} : { modifiers }),
      });
      return [`clicked ${target}`];
    },
  );
  tool(
    'vm_type',
    'acts',
    'Fill a field, or without a target type where the focus is. A secret is {NAME}, alone. Costs 1 to 3 s.',
    { element: ELEMENT, target: TARGET.optional(), text: z.string(), submit: z.boolean().optional() },
    async ({ target, text, submit = false }) => {
      await hands.type(text, target, submit);
      return [`typed ${JSON.stringify(text)}${target === undefined ? '' : ` into ${target}`}`];
    },
  );
  tool(
    'vm_press_key',
    'acts',
    'Press a key or chord: Enter, Control+a. Costs under 1 s.',
    { key: z.string() },
    async ({ key }) => {
      await hands.press(key);
      return [`pressed ${key}`];
    },
  );
  tool(
    'vm_drag',
    'acts',
    'Drag from one place to another. Costs 1 to 3 s.',
    { startElement: ELEMENT, startTarget: TARGET, endElement: ELEMENT, endTarget: TARGET },
    async ({ startTarget, endTarget }) => {
      await hands.drag(startTarget, endTarget);
      return [`dragged ${startTarget} to ${endTarget}`];
    },
  );
  tool(
    'vm_wait_for',
    'acts',
    'Wait until a text is on the screen of the open machine, or surely gone. Costs up to `time`.',
    {
      text: z.string().optional(),
      textGone: z.string().optional(),
      time: z.number().positive().optional().describe('Seconds, default 15, at most 120'),
    },
    async ({ text, textGone, time }) => {
      if ((text === undefined) === (textGone === undefined)) throw new Error('give text, or textGone');
      await hands.waitFor(text ?? textGone ?? '', text === undefined, time);
      return [
        text === undefined ? `${JSON.stringify(textGone)} is gone` : `${JSON.stringify(text)} is there`,
      ];
    },
  );
  tool(
    'vm_exec',
    'acts',
    "Run a command in the guest, as the row's user over SSH. Secrets cannot be named in it. Costs 1 s and the command.",
    { command: z.string() },
    async ({ command }) => {
      const { exitCode, output } = await hands.exec(command);
      return [
        `exit code ${exitCode ?? 'none: it was ended by a signal'}`,
        ...(output === '' ? [] : [quotedFromGuest(output, 'Its output')]),
      ];
    },
  );
  tool(
    'vm_rollback',
    'acts',
    'Roll the open machine back to its checkpoint: what was done there is lost. Costs 5 to 60 s.',
    {},
    async () => [...(await hands.rollback()), 'rolled back'],
  );
  tool(
    'vm_needle',
    'acts',
    'Crop a part of the last snapshot as a picture for getByImage, into the needles of the specs.',
    {
      file: z.string().describe('send.png'),
      target: z.string().optional().describe('A ref of the last vm_snapshot'),
      clip: z
        .object({
          x: z.number().int(),
          y: z.number().int(),
          width: z.number().int().positive(),
          height: z.number().int().positive(),
        })
        .optional(),
    },
    async ({ file, target, clip }) => {
      const part = target ?? clip;
      if (part === undefined) throw new Error('give target, or clip');
      return [await hands.needle(part, file, workspace)];
    },
  );
  tool(
    'vm_write_spec',
    'acts',
    'Write a spec into the folder of the specs. One that is there is replaced only with replace: true.',
    { path: z.string(), code: z.string(), replace: z.boolean().optional() },
    ({ path, code, replace = false }) => Promise.resolve([workspace.writeSpec(path, code, replace)]),
  );
  tool(
    'vm_run_tests',
    'acts',
    'Run a spec on a machine, with a trace; an open machine is given back first. Costs a minute or more; the only proof that a spec passes.',
    { spec: z.string(), machine: z.string() },
    async ({ spec, machine }, extra) => {
      const file = workspace.spec(spec);
      access.machine(machine);
      await hands.cluster();
      await hands.close();
      let progress = 0;
      const token = extra._meta?.progressToken;
      const onLine = (line: string): void => {
        if (token === undefined) return;
        const { text: message } = said(line) as { text: string };
        const params = { progressToken: token, progress: ++progress, message };
        extra.sendNotification({ method: 'notifications/progress', params }).catch(() => undefined); // it has gone
      };
      const { exitCode, output } = await runSpec(file, machine, {
        root: workspace.root,
        signal: extra.signal,
        onLine,
      });
      const verdict = exitCode === 0 ? 'passed' : 'FAILED: vm_read_trace and vm_replay_screen say more';
      return [`${verdict} (exit code ${exitCode})`, quotedFromGuest(output, 'What the runner printed')];
    },
  );
  tool(
    'vm_read_trace',
    'reads',
    'The steps of recorded tests, the error, and the text of the screen where it failed. Costs under 1 s, a line a step.',
    { trace: z.string().optional().describe('A trace.zip below test-results; default: all') },
    ({ trace }) => {
      const path = trace === undefined ? workspace.results : workspace.trace(trace);
      return Promise.resolve([quotedFromGuest(readTraces(path, workspace.root), 'The trace')]);
    },
  );
  tool(
    'vm_replay_screen',
    'reads',
    'Look for what a changed spec asks for on the screens of the last run, and propose texts that were there. No machine, some seconds. Unknown is no pass: run it.',
    { spec: z.string().optional() },
    async ({ spec }) => {
      const tests = await replayRun(workspace.results, spec === undefined ? undefined : workspace.spec(spec));
      return [quotedFromGuest(tests.map(textOf).join('\n'), 'What was recorded')];
    },
  );
  return { server, hands };
}
