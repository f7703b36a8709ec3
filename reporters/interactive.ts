/**
 * Runs that are no record of anything: a test that is clicked in UI mode or in an editor. The reporters of the config are
 * made anew for each of them.
 *
 * @module
 */

/** `playwright test --ui`, `--ui-host`, `--ui-port`, and `playwright test-server`, which editors start. */
const INTERACTIVE = /^(?:--ui|--ui-(?:host|port)(?:=.*)?|test-server)$/;

/** @param args of the command line, after Node and its script */
export function isInteractive(args: readonly string[] = process.argv.slice(2)): boolean {
  return args.some((arg) => INTERACTIVE.test(arg));
}
