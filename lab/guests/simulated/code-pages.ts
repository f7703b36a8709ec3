/**
 * OEM code pages of Windows: what console programs write until they are told otherwise.
 *
 * @module
 */

/** The upper half of single-byte code pages (unicode.org, VENDORS/MICSFT/PC). */
const UPPER = {
  437: 'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
  850: 'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ\u0131ÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±\u2017¾¶§÷¸°¨·¹³²■\u00a0',
} as const;

export type CodePage = keyof typeof UPPER | 932;

const tables = new Map<CodePage, ReadonlyMap<string, Buffer>>();

/** A text in a code page; a character that it lacks becomes a question mark, as WideCharToMultiByte does. */
export function encodeOem(text: string, codePage: CodePage): Buffer {
  const table = tableOf(codePage);
  return Buffer.concat(Array.from(text, (character) => table.get(character) ?? Buffer.from('?')));
}

function tableOf(codePage: CodePage): ReadonlyMap<string, Buffer> {
  const known = tables.get(codePage);
  if (known !== undefined) return known;
  const table = new Map<string, Buffer>();
  for (let code = 0; code < 0x80; code++) table.set(String.fromCharCode(code), Buffer.of(code));
  if (codePage === 932) addShiftJis(table);
  else
    Array.from(UPPER[codePage]).forEach((character, index) => table.set(character, Buffer.of(0x80 + index)));
  tables.set(codePage, table);
  return table;
}

function addShiftJis(table: Map<string, Buffer>): void {
  const decoder = new TextDecoder('shift_jis');
  for (let first = 0x81; first <= 0xfc; first++) {
    for (let second = 0x40; second <= 0xfc; second++) {
      const bytes = Buffer.of(first, second);
      const text = decoder.decode(bytes);
      if (Array.from(text).length === 1 && text !== '\uFFFD') table.set(text, bytes);
    }
  }
}
