/**
 * The engine of routines.
 *
 * @module
 */
export { lintShell, type ShellFinding } from './lint.ts';
export type { On } from './on.ts';
export { defineRoutine, type Routine, type RoutineDefinition, type When } from './routine.ts';
export { secretInput } from './secrets.ts';
export { parseTemplate, renderShell, renderText, renderValue, type Template } from './template.ts';
export { type Verify, verify } from './verify.ts';
