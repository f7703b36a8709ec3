/**
 * The console of a command, and what .NET tells a script: encodings, identity, time.
 *
 * @module
 */
import { type CodePage, encodeOem } from '../../code-pages.ts';
import type { GuestDefinition } from '../../system.ts';
import type { ShellHost } from '../shell.ts';
import { errorRecord } from './errors.ts';
import type { Environment, Value } from './run.ts';
import { PowerShellError } from './tokens.ts';
import { property, show } from './values.ts';

/** COR_E_IO, of a console that is none: "The handle is invalid." */
const COR_E_IO = -2_146_232_800;
const DOMAIN_SID = 'S-1-5-21-1004336348-1177238915-682003330';
/** Ticks of the performance counter a second, as Windows 10 and later have it. */
const FREQUENCY = 10_000_000;

/** Who can be logged on, and under which security identifier. */
export function sidOf({ user }: Pick<GuestDefinition, 'user'>, account: string): string | undefined {
  const name = account.replace(/^.*\\/, '').toLowerCase();
  if (name === 'system') return 'S-1-5-18';
  if (name === user.toLowerCase()) return `${DOMAIN_SID}-1001`;
  return name === 'somebody' ? `${DOMAIN_SID}-1002` : undefined;
}

export function codePageOf({ faults }: Pick<ShellHost, 'faults'>): CodePage {
  if (faults.has('code-page-932')) return 932;
  return faults.has('code-page-850') ? 850 : 437;
}

/** @param clixml error records leave as XML */
export function createEnvironment(
  host: ShellHost,
  user: string,
  variables: Readonly<Record<string, string>>,
  clixml: boolean,
): Environment {
  const { definition, faults } = host;
  let isUtf8 = !faults.has('oem-code-page');
  let preamble = Buffer.alloc(0);
  const account = user === 'SYSTEM' ? 'NT AUTHORITY\\SYSTEM' : `${definition.name.toUpperCase()}\\${user}`;
  const noConsole = (what: string): never => {
    const message = `Exception ${what} "OutputEncoding": "The handle is invalid."`;
    throw new PowerShellError(
      message,
      errorRecord(message, 'ExceptionWhenSetting', 'NotSpecified', COR_E_IO),
    );
  };
  const statics: Record<string, (items: readonly Value[] | undefined) => readonly Value[]> = {
    'console::error': () => [{ __stream: 'error' }],
    'console::outputencoding': () => {
      if (faults.has('no-console')) noConsole('getting');
      return [{ display: 'System.Text.Encoding', CodePage: isUtf8 ? 65001 : codePageOf(host) }];
    },
    'text.encoding::utf8': () => [{ __encoding: 'utf-8', bom: true }],
    'environment::getenvironmentvariable': (items) => {
      const name = show(items?.[0] ?? '').toLowerCase();
      const found = Object.entries(variables).find(([key]) => key.toLowerCase() === name);
      return found === undefined ? [] : [found[1]];
    },
    'security.principal.windowsidentity::getcurrent': () => {
      const sid = sidOf(definition, account) ?? '';
      // A network log-on of an administrator has the whole token over SSH.
      const isAdministrator = user === 'SYSTEM' || !faults.has('standard-user');
      const groups = ['S-1-1-0', 'S-1-5-32-545', ...(isAdministrator ? ['S-1-5-32-544'] : []), 'S-1-5-2'];
      return [
        {
          display: account,
          Name: account,
          User: { display: sid, Value: sid },
          Groups: { display: '', Value: groups.join(' ') },
        },
      ];
    },
    'diagnostics.stopwatch::gettimestamp': () => [Math.round(host.upMs() * (FREQUENCY / 1000))],
    'diagnostics.stopwatch::frequency': () => [FREQUENCY],
    'scriptblock::create': (items) => [{ __script: show(items?.[0] ?? '') }],
    'convert::frombase64string': (items) => [{ __bytes: show(items?.[0] ?? '') }],
    'timespan::zero': () => [{ display: '00:00:00' }],
  };
  return {
    variables,
    clixml,
    goesOn: faults.has('errors-end-statements'),
    static: (type, name, items) => statics[`${plainType(type)}::${name.toLowerCase()}`]?.(items),
    setStatic(type, name, value) {
      const what = `${plainType(type)}::${name.toLowerCase()}`;
      if (what !== 'console::outputencoding' && what !== 'console::inputencoding')
        throw new PowerShellError(`The property '${name}' cannot be found on this object.`);
      if (faults.has('no-console')) noConsole('setting');
      if (what === 'console::inputencoding') return;
      isUtf8 = property(value, '__encoding') === 'utf-8';
      if (property(value, 'bom') === true) preamble = Buffer.from('\uFEFF');
    },
    method: (object, name, items) => method(definition, object, name.toLowerCase(), items),
    cast: castTo,
    encode(text) {
      const bytes = isUtf8 ? Buffer.from(text) : encodeOem(text, codePageOf(host));
      const all = Buffer.concat([preamble, bytes]);
      if (text !== '') preamble = Buffer.alloc(0);
      return all;
    },
  };
}

function plainType(type: string): string {
  return type.toLowerCase().replace(/^system\./, '');
}

/** A time as scripts get it. */
export function dateTime(at: number): Value {
  return { __at: at, display: new Date(at).toISOString() };
}

function castTo(type: string, value: Value): Value {
  switch (plainType(type)) {
    case 'datetime': {
      const at = property(value, '__at') ?? Date.parse(show(value));
      if (!Number.isFinite(at))
        throw new PowerShellError(`Cannot convert value "${show(value)}" to type "System.DateTime".`);
      return dateTime(Number(at));
    }
    case 'string':
      return show(value);
    case 'int':
    case 'int32':
    case 'int64':
    case 'long':
      return Math.round(Number(value));
    default:
      throw new PowerShellError(`Unable to find type [${type}].`);
  }
}

function method(
  definition: GuestDefinition,
  object: Value,
  name: string,
  items: readonly Value[],
): readonly Value[] | undefined {
  const account = property(object, '__account');
  if (account !== undefined && name === 'translate') {
    const sid = sidOf(definition, show(account));
    if (sid === undefined) {
      const message = `Exception calling "Translate" with "1" argument(s): "Some or all identity references could not be translated."`;
      throw new PowerShellError(message, errorRecord(message, 'IdentityNotMappedException'));
    }
    return [{ display: sid, Value: sid }];
  }
  const bytes = property(items[0] ?? null, '__bytes');
  if (name === 'getstring' && bytes !== undefined)
    return [Buffer.from(show(bytes), 'base64').toString('utf8')];
  const at = property(object, '__at');
  if (at !== undefined && name === 'touniversaltime') return [object];
  if (at !== undefined && name === 'tostring') return [new Date(Number(at)).toISOString()];
  if (typeof object !== 'string') return undefined;
  const text = show(items[0] ?? '');
  switch (name) {
    case 'startswith':
      return [object.startsWith(text)];
    case 'endswith':
      return [object.endsWith(text)];
    case 'tolower':
    case 'tolowerinvariant':
      return [object.toLowerCase()];
    case 'trim':
      return [object.trim()];
    case 'trimend':
      return [object.replace(new RegExp(`[${text.replaceAll('\\', '\\\\')}]+$`), '')];
    case 'replace':
      return [object.replaceAll(text, show(items[1] ?? ''))];
    default:
      return undefined;
  }
}
