import { expect, test } from '@playwright/test';
import { vmwright, writeRunProject } from '../runs/command.ts';

/** Node, as in a project without the package. */
const WITHOUT_SDK = `data:text/javascript,${encodeURIComponent(`
import { register } from 'node:module';
const hooks = \`export async function resolve(name, context, next) {
  if (!name.startsWith('@modelcontextprotocol/')) return next(name, context);
  throw Object.assign(new Error('Cannot find package ' + name), { code: 'ERR_MODULE_NOT_FOUND' });
}\`;
register('data:text/javascript,' + encodeURIComponent(hooks));`)}`;

test('without the package of the protocol, which is optional, it says what to install', async ({}, info) => {
  const folder = info.outputPath('p');
  writeRunProject(folder, ['a1'], {});
  const { exitCode, stdout, stderr } = await vmwright(folder, ['mcp'], {
    env: { NODE_OPTIONS: `--import ${WITHOUT_SDK}` },
  });
  expect(stderr).toMatch(
    /^\[MCP_MISSING\] vmwright mcp: .*\n[^]*npm install --save-dev @modelcontextprotocol\/sdk/m,
  );
  expect(stderr).not.toContain('    at ');
  expect(stdout).toBe('');
  expect(exitCode).not.toBe(0);
});
