/**
 * The result in the team's chat: once, when the run is complete, and marked only after the server took it.
 *
 * Mattermost and Slack take `{ "text": ... }` on an incoming webhook; Slack wants `&`, `<` and `>` escaped.
 *
 * @module
 */
import { linkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { textUpTo } from '../fixtures/bounded.ts';
import { VmwrightError } from '../fixtures/errors.ts';
import { redact, redactRecord, redactValue, type Secret } from '../fixtures/secrets/index.ts';
import { identityOf, type ProcessIdentity, stateOf } from '../fixtures/process/identity.ts';
import type { RunModel } from './model.ts';
import { slackText } from './render/escape/slack.ts';
import { renderMarkdown } from './render/markdown.ts';
import { FILES, partFolder, readJson, readRecord, writeAtomically } from './store.ts';
import { VERSION } from './version.ts';

export interface Webhook {
  readonly url: Secret;
  readonly kind: 'mattermost' | 'slack';
}

export interface PostOptions {
  readonly webhook: Webhook;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Says what was wrong with the post that is replaced; the only way to post twice. */
  readonly correction?: string;
  /** The operator looked: the post of which nobody knows did not arrive. */
  readonly notThere?: boolean;
  readonly title?: string;
}

export interface Posted {
  readonly at: number;
  readonly run: string;
  readonly state: string;
  readonly attempts: number;
}

interface Claim {
  readonly claimedAt: number;
  readonly process: ProcessIdentity;
}

const ATTEMPTS = 3;
/** Before the second attempt; doubled before the third. */
const BACKOFF_MS = 1_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** Of a chat server's answer. Bytes. */
const MOST_ANSWER = 1 << 20;
/** Of it in an error. Characters. */
const MOST_QUOTED = 200;

/** Why a run in this state must not be posted; undefined when it may. */
export function reasonNotToPost(model: RunModel): string | undefined {
  if (model.shard !== undefined)
    return `it is shard ${model.shard.current} of ${model.shard.total}: post the merged run`;
  if (model.state !== 'COMPLETED' && model.state !== 'FAILED') return `its state is ${model.state}`;
  // A run that failed before its first test is news as well.
  const hasError = model.errors.length > 0;
  if (!hasError && !model.hosts.some((host) => host.status === 'PASS' || host.status === 'FAIL'))
    return 'no machine has a result';
  if (model.version !== VERSION)
    return `vmwright ${model.version ?? 'of an unknown version'} recorded it, and this is ${VERSION}`;
  return undefined;
}

/** Why `model` is none to post of the run in `folder`: a grouped run's groups are posted, and a folder may be used again. */
function reasonOfFolder(folder: string, model: RunModel): string | undefined {
  const record = readRecord(folder);
  if (record === undefined || model.run === undefined || record.run !== model.run)
    return 'what stands in its folder is of another run';
  const { groups } = record;
  if (groups.length === 0) return undefined;
  const names = groups.map(({ name }) => `--build ${partFolder(record.build, { group: name })}`);
  return `it is run in groups, and each is posted by itself: ${names.join(', ')}`;
}

/**
 * Posts the summary of the run in `folder`, or of the group whose folder it is.
 *
 * @throws `POST_REFUSED` incomplete, a shard, in groups, of another run or version; `POST_DONE` posted already; `POST_UNCERTAIN` an
 * earlier attempt died in mid-request; `POST_FAILED` the server did not take it
 */
export async function post(folder: string, model: RunModel, options: PostOptions): Promise<Posted> {
  const reason = reasonNotToPost(model) ?? reasonOfFolder(folder, model);
  if (reason !== undefined) throw refused(model, reason);
  const marker = join(folder, FILES.posted);
  const earlier = readPosted(marker);
  if (options.correction !== undefined && earlier === undefined)
    throw refused(model, 'nothing was posted that could be corrected');
  if (options.correction === undefined && earlier !== undefined) throw done(model, earlier);
  const claim = `${marker}.claim`;
  takeClaim(claim, model, options);
  try {
    // Another process may have posted between the first look and the claim, or begun a run of the same name.
    const now = reasonOfFolder(folder, model);
    if (now !== undefined) throw refused(model, now);
    const meanwhile = readPosted(marker);
    if (options.correction === undefined && meanwhile !== undefined) throw done(model, meanwhile);
    const view = redactValue({
      now: options.now(),
      ...(options.title === undefined ? {} : { title: options.title }),
      ...(options.correction === undefined || earlier === undefined
        ? {}
        : { correction: { postedAt: earlier.at, why: options.correction } }),
    });
    const text = renderMarkdown(redactRecord(model), view);
    const attempts = await send(text, options);
    const posted = { at: options.now(), run: model.run ?? model.build, state: model.state, attempts };
    writeAtomically(marker, `${JSON.stringify(posted)}\n`);
    return posted;
  } finally {
    rmSync(claim, { force: true });
  }
}

/** What was posted of the run in `folder`. */
export function postedOf(folder: string): Posted | undefined {
  return readPosted(join(folder, FILES.posted));
}

function readPosted(marker: string): Posted | undefined {
  const value = readJson(marker) as Partial<Posted> | undefined;
  return typeof value?.at === 'number' ? (value as Posted) : undefined;
}

/** Only one process posts at a time: the claim appears whole or not at all. */
function takeClaim(claim: string, model: RunModel, options: PostOptions): void {
  const own: Claim = { claimedAt: options.now(), process: identityOf(process.pid) };
  const draft = `${claim}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  writeFileSync(draft, JSON.stringify(own));
  try {
    linkSync(draft, claim);
  } catch (cause) {
    const holder = readJson(claim) as Claim | undefined;
    const isDead = holder !== undefined && stateOf(holder.process) === 'gone';
    if (!isDead) throw refused(model, 'another process is posting it', cause);
    if (options.notThere !== true) throw uncertain(model, holder);
    writeAtomically(claim, JSON.stringify(own));
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Resolves with the number of attempts. */
async function send(text: string, { webhook, sleep }: PostOptions): Promise<number> {
  const escaped = webhook.kind === 'slack' ? slackText(text) : text;
  let seen = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (attempt > 1) await sleep(BACKOFF_MS * 2 ** (attempt - 2));
    try {
      const response = await fetch(webhook.url.reveal(), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text: escaped }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        redirect: 'error',
      });
      if (response.ok) {
        // Its status says it all: one whose answer breaks off must not be posted again.
        await response.body?.cancel();
        return attempt;
      }
      const body = redact((await answerOf(response)).trim()).slice(0, MOST_QUOTED);
      seen = `HTTP ${response.status} ${body}`;
      // What the server understood and refused it will refuse again.
      if (response.status < 500 && response.status !== 429) break;
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      seen = `${error instanceof Error ? error.message : String(error)}${cause}`;
    }
  }
  throw new VmwrightError({
    code: 'POST_FAILED',
    subject: `webhook ${webhook.url.toString()}`,
    message: 'the chat server did not take the summary',
    expected: 'an answer with a status of 200 to 299',
    seen: redact(seen),
    next: 'when it is well again: vmwright post',
  });
}

/** What a chat server has to say is short. */
async function answerOf({ body }: Response): Promise<string> {
  if (body === null) return '';
  return (await textUpTo(body, MOST_ANSWER)) ?? `more than ${MOST_ANSWER >> 20} MiB`;
}

function refused(model: RunModel, reason: string, cause?: unknown): VmwrightError {
  return new VmwrightError({
    code: 'POST_REFUSED',
    subject: model.build,
    message: `it is not posted: ${reason}`,
    next: 'vmwright status shows the run; only complete runs are posted',
    ...(cause === undefined ? {} : { cause }),
  });
}

function done(model: RunModel, posted: Posted): VmwrightError {
  return new VmwrightError({
    code: 'POST_DONE',
    subject: model.build,
    message: 'it was posted already',
    seen: `posted ${new Date(posted.at).toISOString()}`,
    next: 'if that post is wrong: vmwright post --correction "<what was wrong>"',
  });
}

function uncertain(model: RunModel, claim: Claim): VmwrightError {
  return new VmwrightError({
    code: 'POST_UNCERTAIN',
    subject: model.build,
    message: 'a process ended while it posted, and nobody knows whether the post arrived',
    seen: `process ${claim.process.pid}, ${new Date(claim.claimedAt).toISOString()}`,
    next: 'look at the channel; if it is not there: vmwright post --not-there',
  });
}
