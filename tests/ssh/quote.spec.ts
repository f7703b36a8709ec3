import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { Secret } from '../../fixtures/secrets/index.ts';
import { ps, quotePosix, quotePowerShell, raw, sh } from '../../fixtures/ssh/index.ts';
import { expect, test } from './support/fixtures.ts';

const SPECIAL = Array.from('\'"`$\\!*?~#;&|()[]{}<>=-+@%^:, \t\r\naé’🎉');
/** Any text without NUL, and with a bias to what shells take for something else. */
const words = fc.array(
  fc.oneof(
    fc.string({ unit: fc.constantFrom(...SPECIAL) }),
    fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
    fc.constantFrom('', '-n', '--', '*', '~root', 'A=b', '$HOME', '$(id)', "it's", '\n', 'a\\', '!!'),
  ),
  { minLength: 1, maxLength: 8 },
);

/** What a POSIX shell makes of a command line. */
function run(line: string, shell = '/bin/sh'): string {
  return execFileSync(shell, ['-c', line], { encoding: 'utf8' });
}

for (const shell of ['/bin/sh', '/bin/bash']) {
  test(`any words round trip through ${shell}`, () => {
    fc.assert(
      fc.property(words, (values) => {
        expect(run(sh`printf '%s\\0' ${values}`.wire, shell)).toBe(
          values.map((word) => `${word}\0`).join(''),
        );
        expect(run(sh`printf %s ${values.join('')}`.wire, shell)).toBe(values.join(''));
      }),
      { numRuns: 250 },
    );
  });
}

test('a value never becomes an assignment, an option of the shell or a second command', () => {
  const { status, stderr } = spawnSync('/bin/sh', ['-c', sh`${'A=b'} true`.wire], { encoding: 'utf8' });
  expect(status).toBe(127);
  expect(stderr).toContain('A=b');
  expect(run(sh`printf %s ${'a; touch /nonexistent/x'}`.wire)).toBe('a; touch /nonexistent/x');
});

test('plain words stay readable, raw text and numbers are taken as they are', () => {
  expect(sh`ls ${'/tmp/app-1.2_x86@64.AppImage'} ${'--mode=fast'} ${7}`.wire).toBe(
    'ls /tmp/app-1.2_x86@64.AppImage --mode=fast 7',
  );
  expect(sh`ls ${raw('/tmp/*.rpm')} ${'/tmp/*.rpm'}`.wire).toBe("ls /tmp/*.rpm '/tmp/*.rpm'");
  expect(quotePosix('')).toBe("''");
});

test('M45: JSON of any value, placed on a shell line, comes out of the shell as that JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const line = sh`printf %s ${JSON.stringify(value)}`.wire;
      expect(JSON.parse(run(line))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 150 },
  );
  const value = { name: "it's", list: ['"', '$HOME', 'a\nb'], on: true };
  const printed = run(sh`printf %s ${JSON.stringify(value)}`.wire);
  expect(printed, 'encoded once').toMatch(/^\{"name":"it's"/);
  expect(JSON.parse(printed)).toEqual(value);
});

test('a NUL is refused, in both languages', () => {
  expect(() => quotePosix('a\0b')).toThrow('[SSH_COMMAND_INVALID]');
  expect(() => ps`${'a\0b'}`).toThrow('[SSH_COMMAND_INVALID]');
});

test('a secret is on the wire, quoted, and only its name is shown', () => {
  const secret = new Secret('DB_PASSWORD', `pa'ss word`);
  const command = sh`login --user ${'a b'} --password ${secret} ${[secret, 'x y']}`;
  expect(command.shown).toBe("login --user 'a b' --password {DB_PASSWORD} {DB_PASSWORD} 'x y'");
  expect(run(command.wire.replace(/^login/, 'printf "%s\\n"'))).toBe(
    "--user\na b\n--password\npa'ss word\npa'ss word\nx y\n",
  );
  expect(ps`Connect -Password ${secret}`).toEqual({
    wire: `Connect -Password 'pa''ss word'`,
    shown: 'Connect -Password {DB_PASSWORD}',
  });
});

/**
 * PowerShell's reading of a single-quoted string, after about_Quoting_Rules and the language's tokenizer: five
 * characters are single quotes, two of them in a row stand for the second, nothing else is special.
 */
function readSingleQuoted(source: string): { value: string; rest: string } {
  const isQuote = (text: string | undefined): boolean => text !== undefined && "'‘’‚‛".includes(text);
  if (!isQuote(source[0])) throw new Error('no string');
  let value = '';
  for (let at = 1; at < source.length; at++) {
    if (!isQuote(source[at])) value += source[at] ?? '';
    else if (isQuote(source[at + 1])) value += source[++at] ?? '';
    else return { value, rest: source.slice(at + 1) };
  }
  throw new Error('the string does not end');
}

test('PowerShell reads each value as one string that is the value', () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(...Array.from(`'‘’‚‛"\`$(){}@\n; a`)) }),
    fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', '')),
  );
  fc.assert(
    fc.property(text, (value) => {
      expect(readSingleQuoted(quotePowerShell(value))).toEqual({ value, rest: '' });
    }),
    { numRuns: 2000 },
  );
  expect(ps`Stop-Process -Name ${['a', "b'c"]}`.wire).toBe("Stop-Process -Name 'a','b''c'");
});
