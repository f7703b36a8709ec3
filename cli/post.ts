/**
 * `vmwright post`: the result of a complete run into the team's chat, once.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { readEnvironment } from '../fixtures/config/index.ts';
import { loadWebhook } from '../fixtures/config/webhook.ts';
import { post as send, type Posted } from '../runs/post.ts';
import { approve } from './approval.ts';
import { currentRun } from './status.ts';
import { tell } from '../fixtures/secrets/index.ts';

export interface PostCommandOptions {
  readonly state: string;
  readonly build?: string;
  readonly correction?: string;
  readonly notThere?: boolean;
  readonly approve?: string;
}

/** @throws the errors of {@link send}, `APPROVAL_NEEDED`, `SETTING_MISSING` */
export async function post(
  options: PostCommandOptions,
  stdout: { write(text: string): unknown } = process.stdout,
): Promise<Posted> {
  const env = readEnvironment();
  const webhook = loadWebhook(env);
  const run = currentRun(options, Date.now());
  const gate = options.correction === undefined ? 'post' : 'correction';
  approve({
    gate,
    subject: {
      run: run.record.run,
      group: run.model.group ?? '',
      state: run.model.state,
      why: options.correction ?? '',
    },
    given: options.approve,
    env,
  });
  const posted = await send(run.folder, run.model, {
    webhook,
    now: Date.now,
    sleep: (ms) => sleep(ms),
    ...(options.correction === undefined ? {} : { correction: options.correction }),
    ...(options.notThere === undefined ? {} : { notThere: options.notThere }),
  });
  tell(stdout, `posted ${run.model.build}: ${run.model.state}\n`);
  return posted;
}
