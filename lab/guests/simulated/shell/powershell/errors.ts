/**
 * Error records of the simulated PowerShell, and how they leave it.
 *
 * @module
 */
import type { Value } from './values.ts';

export interface ErrorRecord {
  readonly message: string;
  /** `FullyQualifiedErrorId`: in no language. */
  readonly id: string;
  readonly category: string;
  /** `Exception.HResult`, as .NET has it: a signed number. */
  readonly hresult: number;
  /** What ends the command whatever `-ErrorAction` says. */
  readonly isTerminating?: boolean;
}

/** COR_E_EXCEPTION: an exception that says nothing more. */
const ANY_EXCEPTION = -2_146_233_088;
/** Columns of a console that is none. */
const WIDTH = 80;

export function errorRecord(
  message: string,
  id = 'Microsoft.PowerShell.Commands.WriteErrorException',
  category = 'NotSpecified',
  hresult = ANY_EXCEPTION,
): ErrorRecord {
  return { message, id, category, hresult };
}

/** `$_` in a catch block. */
export function errorValue({ message, id, category, hresult }: ErrorRecord): Value {
  return {
    display: message,
    Exception: { display: message, Message: message.replace(/^[\w-]+ : /, ''), HResult: hresult },
    FullyQualifiedErrorId: id,
    CategoryInfo: { display: category, Category: category },
  };
}

/** Standard error: what a program writes there, and the records of errors. */
export class ErrorStream {
  readonly #isXml: boolean;
  readonly #encode: (text: string) => Buffer;
  readonly #pieces: Buffer[] = [];
  #xml = '';

  constructor(isXml: boolean, encode: (text: string) => Buffer) {
    this.#isXml = isXml;
    this.#encode = encode;
  }

  text(text: string): void {
    this.#pieces.push(this.#encode(text));
  }

  /** What a native program wrote. */
  raw(bytes: Buffer): void {
    this.#pieces.push(bytes);
  }

  /**
   * A record takes several lines of 80 columns. With `-EncodedCommand` and no console they leave as XML, each line by
   * itself, with its line end escaped (MS-PSRP 2.2.5.3.2; the width is the default of a host without a window).
   */
  record({ message, id, category }: ErrorRecord): void {
    const lines = [
      ...wrapped(message),
      `    + CategoryInfo          : ${category}: (:) [], Exception`,
      `    + FullyQualifiedErrorId : ${id}`,
      ' ',
    ];
    if (!this.#isXml) this.text(lines.map((line) => `${line}\r\n`).join(''));
    else this.#xml += lines.map((line) => `<S S="Error">${escaped(line)}_x000D__x000A_</S>`).join('');
  }

  bytes(): Buffer {
    const xml =
      this.#xml === ''
        ? ''
        : `#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">${this.#xml}</Objs>`;
    return Buffer.concat([...this.#pieces, this.#encode(xml)]);
  }
}

/** Breaks behind a blank, which stays at the end of its line. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (let rest = text; rest !== '';) {
    const blank = rest.lastIndexOf(' ', WIDTH - 1);
    const end = rest.length <= WIDTH ? rest.length : blank > 0 ? blank + 1 : WIDTH;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return lines;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
    .replaceAll(/\r?\n/g, '_x000D__x000A_');
}
