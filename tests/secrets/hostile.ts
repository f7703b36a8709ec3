/**
 * Secrets of every hostile shape, and all reporters that a run may have.
 *
 * @module
 */
import { ROOT } from '../support/runner.ts';

const KEY = [
  '-----BEGIN OPENSSH PRIVATE KEY-----',
  'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW',
  'QyNTUxOQAAACDkQ0mhT4mFvJ8kVtq0wYbWk1uP7m3Zr2s5lN9pXcG7hAAAAJh8f2kFfH9p',
  '-----END OPENSSH PRIVATE KEY-----',
].join('\n');

/** Strong ones are searched for everywhere; weak ones are told by name. */
export const STRONG: Readonly<Record<string, string>> = {
  PLAIN_PASSWORD: 'Qz7-winter-Lamp',
  QUOTE_PASSWORD: `it's "Kestrel" \`9\``,
  SLASH_TOKEN: String.raw`C:\new\tKestrel\u0041`,
  REGEX_TOKEN: '^(Hx9.*Kestrel+)[a-z]{2}$|?',
  MARKUP_SECRET: `<b>Kestrel&amp;</b>"]]>`,
  DEPLOY_PRIVATE_KEY: `${KEY}\n`,
  ACCENT_PASSWORD: 'Grüße-Kestrel-€-寿司',
  JSON_SECRET: '{"type":"Kestrel","key":"w5-t"}',
};
export const WEAK = { WORD_PASSWORD: 'test', DOOR_PIN: '1795' };

export const SECRETS = { ...STRONG, ...WEAK };
/** What tells a secret: its whole, and of a key each line. */
export const WORDS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    Object.entries(STRONG).map(([name, value]) => [
      name,
      value.split('\n').filter((line) => line.length > 10 && !line.startsWith('-----')),
    ]),
  ),
  ...Object.fromEntries(Object.entries(WEAK).map(([name, value]) => [name, [`password: ${value}`]])),
};

export const BUILT_IN = [
  'list',
  'line',
  'dot',
  'json',
  'junit',
  'html',
  'blob',
  'github',
  'failures',
  'perfetto',
] as const;
/** Those that write files of results; the rest prints. */
export const OURS = ['redact', 'recover', 'film', 'summary', 'allure', 'lease'].map(
  (name) => `${ROOT}/reporters/${name}.ts`,
);
