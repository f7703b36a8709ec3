/**
 * What a routine's shell text must not do.
 *
 * @module
 */

export interface ShellFinding {
  readonly rule: 'process-by-command-line' | 'needs-a-display';
  readonly text: string;
  readonly advice: string;
}

const RULES: readonly (Omit<ShellFinding, 'text'> & { readonly pattern: RegExp })[] = [
  {
    rule: 'process-by-command-line',
    pattern: /\bp(?:kill|grep)\b(?:\s+[^\s;|&]+)*?\s+(?:-[a-zA-Z]*f[a-zA-Z]*|--full)\b/,
    advice: '-f matches the command line of the very shell that runs it (requirements M15): use -x',
  },
  {
    rule: 'needs-a-display',
    pattern: /\bxdotool\b|\bxset\s|\bDISPLAY=/,
    advice: 'does nothing on Wayland (requirements M25): use vncPage.keyboard and vncPage.mouse',
  },
];

/** Everything in a shell text that is known to go wrong; empty when there is nothing. */
export function lintShell(text: string): readonly ShellFinding[] {
  return RULES.flatMap(({ pattern, rule, advice }) => {
    const found = pattern.exec(text);
    return found === null ? [] : [{ rule, advice, text: found[0] }];
  });
}
