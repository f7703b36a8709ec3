/**
 * JSON of other programs.
 *
 * @module
 */

export type JsonObject = Readonly<Record<string, unknown>>;

/** A JSON object or list; undefined for anything else. */
export function parseJson(bytes: Buffer): JsonObject | readonly unknown[] | undefined {
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as JsonObject | readonly unknown[];
  } catch {
    return undefined;
  }
}

/** A JSON object; undefined for anything else. */
export function parseObject(bytes: Buffer): JsonObject | undefined {
  const value = parseJson(bytes);
  return isObject(value) ? value : undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object with the names of its values in lower case: `Severity` is `severity`. */
export function lowerKeys(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toLowerCase(), inner]));
}

/** Text that says something; of an error object its message. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value;
  return isObject(value) && 'message' in value ? textOf(value.message) : undefined;
}
