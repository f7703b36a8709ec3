import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { expect, test } from '@playwright/test';
import { ocr, type OcrOptions } from '../../cli/ocr.ts';
import { decodeImage, encodePng } from '../../fixtures/image/frame.ts';
import { createScreenReader } from '../../fixtures/vision/index.ts';
import { draw } from '../matchers/support/screen.ts';
import { ROOT } from '../support/runner.ts';

const SIZE = { width: 400, height: 160 };
const login = draw(SIZE, [
  { text: 'Sign in', x: 20, y: 40 },
  { text: 'Forgotten', x: 220, y: 100 },
]);

const row = draw(SIZE, [
  { text: 'Sign in', x: 20, y: 40 },
  { text: 'Forgotten', x: 220, y: 40 },
]);

async function run(file: string, options?: OcrOptions): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await ocr(file, options, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}

function written(name: string, bytes: Uint8Array): string {
  const file = test.info().outputPath(name);
  writeFileSync(file, bytes);
  return file;
}

test('prints each line with its box and confidence', async () => {
  const { code, out, err } = await run(written('login.png', await encodePng(login)));
  expect(code).toBe(0);
  expect(err).toBe('');
  const row = (text: string): RegExp =>
    new RegExp(String.raw`^\d+ +\d+x\d+ at \d+,\d+ +(0\.\d\d|1\.00)  ${text}$`);
  const rows = out.trimEnd().split('\n');
  expect(rows).toHaveLength(3);
  expect(rows[0]).toMatch(/^# +box +sure +text$/);
  expect(rows[1]).toMatch(row('Sign ?in'));
  expect(rows[2]).toMatch(row('Forgotten'));
});

test('--picture frames each line, and changes nothing else', async () => {
  const picture = test.info().outputPath('seen/login.png');
  const { code, err } = await run(written('login.png', await encodePng(login)), { picture });
  expect({ code, err }).toEqual({ code: 0, err: `${picture}: 2 lines\n` });
  const { data, ...size } = await decodeImage(readFileSync(picture), picture);
  expect(size).toEqual(SIZE);
  const colour = (x: number, y: number): number[] => [
    ...data.subarray((y * SIZE.width + x) * 4, (y * SIZE.width + x) * 4 + 3),
  ];
  const { lines } = await createScreenReader().read(login);
  for (const { box } of lines) {
    expect(colour(box.x + (box.width >> 1), box.y)).toEqual([229, 0, 76]);
    expect(colour(box.x + box.width - 1, box.y + (box.height >> 1))).toEqual([229, 0, 76]);
  }
  expect(colour(5, 150)).toEqual([244, 244, 242]);
});

test('--json gives boxes of lines and words', async () => {
  const file = written('login.png', await encodePng(login));
  const { code, out } = await run(file, { json: true });
  expect(code).toBe(0);
  const box = {
    x: expect.any(Number),
    y: expect.any(Number),
    width: expect.any(Number),
    height: expect.any(Number),
  };
  const word = { text: 'Forgotten', box, confidence: expect.any(Number) };
  const { lines, ...rest } = JSON.parse(out) as { lines: unknown[] };
  expect(rest).toEqual({ file, ...SIZE });
  expect(lines.at(-1)).toEqual({ ...word, words: [word] });
});

test('SE17: --find and --absent tell found, absent, unsure and unreadable, with the reason and a code of their own', async () => {
  const file = written('login.png', await encodePng(login));
  const look = (options: OcrOptions) => run(file, options);
  expect(await look({ find: 'Sign in' })).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^found: "Sign in"\n {2}"Sign in", \d+x\d+ at \d+,\d+\n$/),
  });
  expect(await look({ find: 'Sign in', absent: true })).toMatchObject({ code: 1 });
  expect(await look({ absent: 'Sign in' })).toMatchObject({ code: 1 });
  const away = {
    out: expect.stringMatching(/^absent: "Sign out"\n {2}read instead: "Sign in", \d+x\d+ at \d+,\d+\n/),
  };
  expect(await look({ find: 'Sign out' })).toMatchObject({ code: 1, ...away });
  expect(await look({ absent: 'Sign out' })).toMatchObject({ code: 0, ...away });
  for (const options of [{ find: 'Войти' }, { absent: 'Войти' }])
    expect(await look(options)).toMatchObject({
      code: 2,
      out: expect.stringMatching(/^unreadable: "Войти"\n {2}\[TEXT_UNREADABLE\].*Cyrillic/),
    });
  for (const options of [{ find: 'Sign in Forgotten' }, { absent: 'Sign in Forgotten' }])
    expect(await run(written('row.png', await encodePng(row)), options)).toMatchObject({
      code: 2,
      out: expect.stringMatching(
        /^unsure: "Sign in Forgotten"\n {2}it may be "Sign in Forgotten", .*: its parts/,
      ),
    });
  expect(await look({ find: 'Sign', exact: true })).toMatchObject({ code: 1 });
  expect(await look({ find: 'Sign in', exact: true })).toMatchObject({ code: 0 });
  const { out } = await look({ find: 'Sign in', json: true });
  expect(JSON.parse(out)).toMatchObject({
    file,
    find: 'Sign in',
    kind: 'found',
    matches: [{ text: 'Sign in' }],
  });
});

test('SE17: a picture that cannot be read proves neither, and a call that says two things is refused', async () => {
  const file = written('login.png', await encodePng(login));
  for (const options of [{ find: 'a' }, { absent: 'a' }])
    expect(await run(test.info().outputPath('missing.png'), options)).toMatchObject({ code: 2, out: '' });
  for (const options of [{ absent: true }, { exact: true }, { find: 'a', absent: 'b' }, { find: '' }])
    expect(await run(file, options)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('OCR_OPTION_INVALID'),
    });
});

test('a picture without text prints nothing and says so beside', async () => {
  const file = written('empty.png', await encodePng(draw(SIZE, [])));
  expect(await run(file)).toEqual({ code: 0, out: '', err: `${file}: no text\n` });
});

test('a missing file, a folder and a file that is no picture are named, and fail', async () => {
  const missing = test.info().outputPath('missing.png');
  const broken = written('broken.png', Buffer.from('not a picture'));
  for (const [file, code] of [
    [missing, 'FILE_UNREADABLE'],
    [test.info().outputDir, 'FILE_UNREADABLE'],
    [broken, 'IMAGE_UNREADABLE'],
  ] as const) {
    const result = await run(file);
    expect(result).toMatchObject({ code: 1, out: '' });
    expect(result.err).toContain(`[${code}] ${file}: `);
    expect(result.err).toContain('a PNG, JPEG or WebP image');
  }
});

test('WebAssembly reads what the native runtime reads; an unknown runtime is refused', async () => {
  const file = written('login.png', await encodePng(login));
  const script = `import { ocr } from ${JSON.stringify(join(ROOT, 'cli/ocr.ts'))};
process.exitCode = await ocr(process.argv[1]);`;
  const read = async (runtime: string): Promise<{ code: number | null; out: string; err: string }> => {
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script, file];
    const env = { ...process.env, VMWRIGHT_OCR_RUNTIME: runtime };
    const child = spawn(process.execPath, args, { cwd: ROOT, env });
    const closed = new Promise<number | null>((done) => child.once('close', done));
    const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
    return { code: await closed, out, err };
  };
  const wasm = await read('wasm');
  expect(wasm).toMatchObject({ code: 0 });
  const texts = (out: string): string[] =>
    out
      .trimEnd()
      .split('\n')
      .map((row) => row.replace(/ \d\.\d\d /, ' '));
  expect(texts(wasm.out)).toEqual(texts((await run(file)).out));
  const unknown = await read('gpu');
  expect(unknown.code).toBe(1);
  expect(unknown.err).toContain('[SETTING_INVALID] VMWRIGHT_OCR_RUNTIME');
});
