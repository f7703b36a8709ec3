/**
 * Progress of long work, line by line, with the time since its start.
 *
 * @module
 */

/** Takes one line without a line end. */
export type Progress = (line: string) => void;

/** Puts `[ 12 s] ` before each line, counting from now. */
export function stages(write: Progress, now: () => number = Date.now): Progress {
  const begin = now();
  return (line) => {
    const seconds = String(Math.round((now() - begin) / 1000)).padStart(3);
    write(`[${seconds} s] ${line}`);
  };
}
