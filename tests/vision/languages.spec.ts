import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createCanvas, GlobalFonts } from '@napi-rs/canvas';
import { expect, test, type TestInfo } from '@playwright/test';
import { encodePng } from '../../fixtures/image/frame.ts';
import { requireFile } from '../support/peers.ts';
import { ROOT } from '../support/runner.ts';

interface Answer {
  readonly kinds?: readonly string[];
  readonly lines?: readonly string[];
  readonly error?: string;
}

const DEJAVU = '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf';
const GOTHIC = '/usr/share/fonts/truetype/vlgothic/VL-Gothic-Regular.ttf';
const TESSDATA = '/usr/share/tesseract-ocr/5/tessdata';

interface Look {
  readonly font: string;
  readonly size: number;
  readonly isDark?: boolean;
}

/** Lines of text as a picture. */
async function drawn(info: TestInfo, texts: readonly string[], { font, size, isDark = false }: Look) {
  GlobalFonts.registerFromPath(font, font);
  const [width, height] = [520, 40 * texts.length + 20];
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  context.fillStyle = isDark ? '#232629' : '#f4f4f2';
  context.fillRect(0, 0, width, height);
  context.fillStyle = isDark ? '#eff0f1' : '#202428';
  context.font = `${size}px "${font}"`;
  texts.forEach((text, index) => context.fillText(text, 24, 40 * index + 36));
  const data = new Uint8Array(context.getImageData(0, 0, width, height).data);
  mkdirSync(info.outputDir, { recursive: true });
  const file = info.outputPath(`${size}-${isDark ? 'dark' : 'light'}.png`);
  writeFileSync(file, await encodePng({ width, height, data }));
  return file;
}

/** What a process with these languages says of texts on a picture. */
async function looked(
  file: string,
  asked: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Answer> {
  const script = join(ROOT, 'tests/vision/support/find-texts.ts');
  const args = ['--import', 'tsx', script, file, JSON.stringify(asked)];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, VMWRIGHT_OCR_LANGUAGES: '', VMWRIGHT_OCR_DATA: '', ...env },
  });
  return JSON.parse(stdout.split('\n').at(0) ?? '') as Answer;
}

const WORLDS = [
  {
    code: 'rus',
    font: DEJAVU,
    sizes: [12, 14, 18],
    shown: [
      'Ошибка подключения',
      'Пароль',
      'Сохранить',
      'Отмена',
      'Вход выполнен',
      'Cancel',
      'Settings',
      'файл 15 ГБ',
    ],
    absent: ['Отмена входа', 'Параметр', 'Удалить', 'Ошибки', 'ароль', 'Restart'],
  },
  {
    code: 'ell',
    font: DEJAVU,
    sizes: [13, 18],
    shown: ['Κωδικός πρόσβασης', 'Αποθήκευση', 'Ακύρωση', 'Σφάλμα σύνδεσης', 'Cancel'],
    absent: ['Διαγραφή', 'Κωδικοί', 'Σφάλματα', 'Delete'],
  },
  {
    code: 'deu',
    font: DEJAVU,
    sizes: [13, 18],
    shown: ['Straße', 'Schließen', 'Größe ändern', 'Abbrechen'],
    absent: ['Strasse', 'Schließung', 'Gruße'],
  },
  {
    code: 'jpn',
    font: GOTHIC,
    sizes: [16, 22],
    shown: ['パスワード', 'キャンセル', '保存する', 'エラーが発生しました', 'Settings'],
    absent: ['ログアウト', 'キーボード', '削除する'],
  },
] as const;

for (const { code, font, sizes, shown, absent } of WORLDS)
  test(`${code}: texts are found, others are absent, none passes for another`, async ({}, info) => {
    requireFile(test, font);
    requireFile(test, join(TESSDATA, `${code}.traineddata`));
    for (const size of sizes)
      for (const isDark of size === sizes[1] ? [true] : [false]) {
        const file = await drawn(info, shown, { font, size, isDark });
        const { kinds = [], lines } = await looked(file, [...shown, ...absent], {
          VMWRIGHT_OCR_LANGUAGES: code,
        });
        const what = `${code}, ${size} px: ${JSON.stringify(lines)}`;
        const found = kinds.slice(0, shown.length);
        expect(found, what).not.toContain('absent');
        expect(found.filter((kind) => kind === 'found').length, what).toBeGreaterThanOrEqual(
          shown.length - 1,
        );
        expect(kinds.slice(shown.length), what).not.toContain('found');
        expect(kinds, what).not.toContain('unreadable');
      }
  });

test('a language that is not there, or no name of one, is an error that says what to install', async ({}, info) => {
  requireFile(test, DEJAVU);
  const file = await drawn(info, ['Cancel'], { font: DEJAVU, size: 14 });
  const missing = await looked(file, ['Cancel'], { VMWRIGHT_OCR_LANGUAGES: 'rus, xyz' });
  expect(missing.error).toMatch(
    /OCR_LANGUAGE_MISSING[^]*xyz[^]*xyz\.traineddata[^]*tesseract-ocr-xyz[^]*VMWRIGHT_OCR_DATA/,
  );
  const wrong = await looked(file, ['Cancel'], { VMWRIGHT_OCR_LANGUAGES: '../rus' });
  expect(wrong.error).toMatch(/SETTING_INVALID[^]*rus,jpn,deu/);
  writeFileSync(join(info.outputDir, 'abc.traineddata'), 'no such file');
  const broken = await looked(file, ['Cancel'], {
    VMWRIGHT_OCR_LANGUAGES: 'abc',
    VMWRIGHT_OCR_DATA: info.outputDir,
  });
  expect(broken.error).toMatch(/OCR_LANGUAGE_MISSING[^]*cannot be read/);
});

test('without the setting Cyrillic is unreadable, as before', async ({}, info) => {
  requireFile(test, DEJAVU);
  const file = await drawn(info, ['Отмена'], { font: DEJAVU, size: 14 });
  expect((await looked(file, ['Отмена'], {})).kinds).toEqual(['unreadable']);
});

test('Simplified Chinese is read without any setting', async ({}, info) => {
  requireFile(test, GOTHIC);
  const file = await drawn(info, ['取消', '保存', '文件', 'Cancel'], { font: GOTHIC, size: 18 });
  const { kinds, lines } = await looked(file, ['取消', '保存', '文件', '打印', '取件'], {});
  expect(kinds, JSON.stringify(lines)).toEqual(['found', 'found', 'found', 'absent', 'absent']);
});
