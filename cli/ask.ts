/**
 * What is asked in a terminal: an approval, a yes, a choice.
 *
 * @module
 */
import { createInterface } from 'node:readline/promises';

export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
}

export type Answer = 'approve' | 'approve without watcher' | 'no';

/** What the operator types under a plan. Anything but the two exact phrases is a no. */
export async function askApproval(terminal: Terminal): Promise<Answer> {
  const typed = await askLine(terminal, 'type "approve", or "approve without watcher": ');
  return typed === 'approve' || typed === 'approve without watcher' ? typed : 'no';
}

/** A question that takes a yes. @param question without the choices */
export async function askYes(terminal: Terminal, question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await askLine(terminal, `${question} [y/N] `));
}

/** @returns the line without blanks around it; empty when the input ends instead */
export async function askLine({ input, output }: Terminal, question: string): Promise<string> {
  const lines = createInterface({ input, output });
  try {
    const closed = new Promise<string>((done) => lines.once('close', () => done('')));
    return (await Promise.race([lines.question(question), closed])).trim();
  } finally {
    lines.close();
  }
}
