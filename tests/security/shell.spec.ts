/** Programs are started with lists of arguments: no shell ever reads what vmwright puts together. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import ts from 'typescript';
import { ROOT } from '../support/runner.ts';

const ROOMS = ['fixtures', 'routines', 'reporters', 'runs', 'cli', 'lab', 'specs'];
/** Of node:child_process: these hand a line to a shell. */
const SHELLS = ['exec', 'execSync'];

/** Every way to a shell in a source text, as `line: what`. */
function shellsIn(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const note = (node: ts.Node): void => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    found.push(`${file}:${line + 1}: ${node.getText().split('\n')[0] ?? ''}`);
  };
  const isOfProcesses = (node: ts.Expression): boolean =>
    ts.isStringLiteral(node) && /^(?:node:)?child_process$/.test(node.text);
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && isOfProcesses(node.moduleSpecifier)) {
      const bindings = node.importClause?.namedBindings;
      if (bindings === undefined || ts.isNamespaceImport(bindings)) note(node);
      else if (bindings.elements.some((one) => SHELLS.includes((one.propertyName ?? one.name).text)))
        note(node);
    }
    if (ts.isCallExpression(node) && node.arguments[0] !== undefined && isOfProcesses(node.arguments[0]))
      note(node);
    if (
      ts.isPropertyAssignment(node) &&
      node.name.getText() === 'shell' &&
      node.initializer.kind !== ts.SyntaxKind.FalseKeyword
    ) {
      if (node.initializer.kind === ts.SyntaxKind.TrueKeyword || ts.isStringLiteral(node.initializer))
        note(node);
    }
    if (ts.isCallExpression(node) && isShellByName(node)) note(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** `spawn('sh', ['-c', ...])` is a shell too. */
function isShellByName({ expression, arguments: [program] }: ts.CallExpression): boolean {
  return (
    ts.isIdentifier(expression) &&
    /^(?:spawn|spawnSync|execFile|execFileSync)$/.test(expression.text) &&
    program !== undefined &&
    ts.isStringLiteral(program) &&
    /^(?:.*\/)?(?:sh|bash|dash|zsh|cmd(?:\.exe)?|powershell(?:\.exe)?)$/.test(program.text)
  );
}

test('no source starts a shell', () => {
  const files = ROOMS.flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${room}/${name}`),
  );
  expect(files.length).toBeGreaterThan(200);
  expect(files.flatMap((file) => shellsIn(file, readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
});

test('each way to a shell is noticed', () => {
  const ways = [
    "import { exec } from 'node:child_process';",
    "import { execSync as run } from 'child_process';",
    "import * as processes from 'node:child_process';",
    "import processes from 'node:child_process';",
    "const { exec } = await import('node:child_process');",
    "const { exec } = require('child_process');",
    'spawn(program, args, { shell: true });',
    "spawn(program, args, { shell: '/bin/bash' });",
    "spawn('sh', ['-c', `rm ${file}`]);",
    "execFileSync('/bin/bash', ['-c', line]);",
  ];
  for (const way of ways) expect(shellsIn('a.ts', way), way).toHaveLength(1);
  const fine = "import { spawn } from 'node:child_process';\nspawn('npm', ['audit'], { shell: false });";
  expect(shellsIn('a.ts', fine)).toEqual([]);
});
