/**
 * An approval that is typed: `approve`, or `approve without watcher`.
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
export async function askApproval({ input, output }: Terminal): Promise<Answer> {
  const lines = createInterface({ input, output });
  try {
    const closed = new Promise<string>((done) => lines.once('close', () => done('')));
    const question = lines.question('type "approve", or "approve without watcher": ');
    const typed = (await Promise.race([question, closed])).trim();
    return typed === 'approve' || typed === 'approve without watcher' ? typed : 'no';
  } finally {
    lines.close();
  }
}
