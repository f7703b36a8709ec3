/**
 * Who is calling: tickets with CSRF tokens, and API tokens.
 *
 * @module
 */
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ApiError } from './errors.ts';
import { type Permission, PERMISSIONS } from './permissions.ts';

const TICKET_LIFETIME_S = 7200;
/** PVE accepts tickets from a slightly faster clock. */
const FUTURE_TOLERANCE_S = 300;
const VNC_TICKET_LIFETIME_S = 40;

/** Every privilege that the lab asks for. */
const EVERYTHING: ReadonlySet<string> = new Set([
  ...Object.values<Permission>(PERMISSIONS).flatMap((entry) =>
    typeof entry === 'string' ? [] : entry.privileges,
  ),
  'Mapping.Use',
  'Sys.Syslog',
]);

export interface Caller {
  /** `root@pam`, or `root@pam!lab` for a token. */
  readonly id: string;
  readonly isToken: boolean;
}

/** The lab's accounts: one user with a password and one token, both random at each start. */
export class Access {
  readonly user = 'root@pam';
  readonly password = randomBytes(12).toString('base64url');
  readonly tokenId = 'root@pam!lab';
  readonly tokenSecret = randomUUID();
  /** What the token may do where no path of {@link Access.acl} says else. */
  readonly privileges = new Set([
    'VM.Audit',
    'VM.PowerMgmt',
    'VM.Console',
    'VM.Snapshot',
    'VM.Snapshot.Rollback',
    'VM.Config.Options',
    'VM.Config.HWType',
    'VM.GuestAgent.Unrestricted',
    'Mapping.Use',
    'Sys.Audit',
  ]);
  /** The token's privileges by path: they hold for what lies below, too, and replace those from above. */
  readonly acl = new Map<string, ReadonlySet<string>>([['/', this.privileges]]);
  #key = randomBytes(32);
  /** Seconds since the epoch. */
  readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  /** Logs in with the password, or renews with a valid ticket in its place. @throws 401 `authentication failure` */
  login(username: string, password: string): Record<string, unknown> {
    const isRight =
      username === this.user && (same(password, this.password) || this.#isTicket(password, username));
    if (!isRight) throw new ApiError(401, 'authentication failure');
    const privileges = {
      'VM.Audit': 1,
      'VM.PowerMgmt': 1,
      'VM.Console': 1,
      'VM.Snapshot': 1,
      'VM.Config.Options': 1,
    };
    return {
      username,
      ticket: this.#sign('PVE', username),
      CSRFPreventionToken: this.#csrf(username, this.now()),
      cap: {
        vms: privileges,
        nodes: { 'Sys.Audit': 1 },
        storage: {},
        access: {},
        dc: {},
        sdn: {},
        mapping: {},
      },
      clustername: 'lab',
    };
  }

  /** What a caller may do at a path: root itself everything. */
  privilegesAt(caller: Caller, path: string): ReadonlySet<string> {
    if (!caller.isToken) return EVERYTHING;
    for (let at = path; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
      const found = this.acl.get(at);
      if (found !== undefined) return found;
      if (at === '/') return new Set();
    }
  }

  /** Whether the caller has all of the privileges at the path, or with `any` one of them. */
  may(caller: Caller, path: string, privileges: readonly string[], any = false): boolean {
    const held = this.privilegesAt(caller, path);
    const has = (privilege: string): boolean => held.has(privilege);
    return any ? privileges.some(has) : privileges.every(has);
  }

  /** @throws 403 `Permission check failed (/vms/101, VM.Console)`; with `any` all of them, parted by `|` */
  check(caller: Caller, path: string, privileges: readonly string[], any = false): void {
    if (this.may(caller, path, privileges, any)) return;
    const missing = any
      ? privileges.join('|')
      : privileges.find((privilege) => !this.may(caller, path, [privilege]));
    throw new ApiError(403, `Permission check failed (${path}, ${missing})`);
  }

  /** Makes every ticket that was given out so far invalid, as two hours would. */
  expireTickets(): void {
    this.#key = randomBytes(32);
  }

  /**
   * The caller of a request.
   *
   * @throws 401 with an empty body: `No ticket`, `Authentication failed!`, `Permission denied - invalid csrf token`
   */
  authenticate(request: IncomingMessage): Caller {
    const header = request.headers.authorization ?? '';
    const cookie = /(?:^|;\s*)PVEAuthCookie=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
    const ticket =
      cookie === undefined ? /^PVEAuthCookie=(.+)$/.exec(header)?.[1] : decodeURIComponent(cookie);
    if (ticket !== undefined) return this.#byTicket(ticket, request);
    const token = /^PVEAPIToken=([^=]+)=(.+)$/.exec(header);
    if (token === null) throw new ApiError(401, 'No ticket', { bodiless: true });
    const [, id = '', secret = ''] = token;
    if (id !== this.tokenId || !same(secret, this.tokenSecret)) {
      throw new ApiError(401, 'Authentication failed!', { bodiless: true });
    }
    return { id, isToken: true };
  }

  /** A ticket that lets its user open one console of one VM on one port. */
  vncTicket(caller: Caller, path: string, port: number): string {
    return this.#sign('PVEVNC', `${caller.id}:${path}:${port}`, 'PVEVNC');
  }

  isVncTicket(ticket: string, caller: Caller, path: string, port: number): boolean {
    return this.#verify('PVEVNC', ticket, `${caller.id}:${path}:${port}`, VNC_TICKET_LIFETIME_S, 'PVEVNC');
  }

  #byTicket(ticket: string, request: IncomingMessage): Caller {
    const user = /^PVE:([^:]+):/.exec(ticket)?.[1] ?? '';
    if (!this.#isTicket(ticket, user)) throw new ApiError(401, 'Authentication failed!', { bodiless: true });
    if (request.method !== 'GET' && !this.#isCsrf(String(request.headers.csrfpreventiontoken ?? ''), user)) {
      throw new ApiError(401, 'Permission denied - invalid csrf token', { bodiless: true });
    }
    return { id: user, isToken: false };
  }

  #isTicket(ticket: string, user: string): boolean {
    return this.#verify('PVE', ticket, user, TICKET_LIFETIME_S);
  }

  #sign(kind: string, subject: string, prefix = `PVE:${subject}`): string {
    const time = hex(this.now());
    return `${prefix}:${time}::${this.#mac(kind, subject, time)}`;
  }

  #verify(
    kind: string,
    ticket: string,
    subject: string,
    lifetime: number,
    prefix = `PVE:${subject}`,
  ): boolean {
    const match = /^(.*):([0-9A-F]{8})::(.+)$/.exec(ticket);
    if (match?.[1] !== prefix) return false;
    const [, , time = '', mac = ''] = match;
    const age = this.now() - Number.parseInt(time, 16);
    return age <= lifetime && age >= -FUTURE_TOLERANCE_S && same(mac, this.#mac(kind, subject, time));
  }

  #csrf(user: string, at: number): string {
    const time = hex(at);
    return `${time}:${this.#mac('CSRF', user, time).replace(/=+$/, '')}`;
  }

  #isCsrf(token: string, user: string): boolean {
    const at = Number.parseInt(token.split(':')[0] ?? '', 16);
    return Number.isFinite(at) && this.now() - at <= TICKET_LIFETIME_S && same(token, this.#csrf(user, at));
  }

  #mac(kind: string, subject: string, time: string): string {
    return createHmac('sha256', this.#key).update(`${kind}:${subject}:${time}`).digest('base64');
  }
}

function hex(seconds: number): string {
  return Math.floor(seconds).toString(16).toUpperCase().padStart(8, '0');
}

function same(a: string, b: string): boolean {
  const [one, two] = [Buffer.from(a), Buffer.from(b)];
  return one.length === two.length && timingSafeEqual(one, two);
}
