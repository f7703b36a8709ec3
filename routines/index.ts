/**
 * `vmwright/routines`: steps that several scenarios share, and those that every smoke scenario takes.
 *
 *     export const signIn = defineRoutine({ name: 'sign-in', run: async ({ vncPage }, { account }) => { ... } });
 *
 * @module
 */
export * from './engine/index.ts';
export * from './smoke.ts';
