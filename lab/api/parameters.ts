/**
 * Parameter verification with PVE's own texts (PVE::JSONSchema).
 *
 * @module
 */
import { badParameters } from './errors.ts';

export interface ParameterRule {
  readonly type: 'string' | 'integer' | 'boolean' | 'array';
  readonly required?: boolean;
  readonly values?: readonly string[];
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly pattern?: RegExp;
  /** Names the format in the error. */
  readonly format?: string;
}

export type Rules = Readonly<Record<string, ParameterRule>> | 'any';
export type RawParameters = Readonly<Record<string, string | readonly string[]>>;
export type Parameters = Readonly<Record<string, unknown>>;

/** Checked and converted parameters: integers as numbers, booleans as booleans, arrays as lists of strings. */
export function verifyParameters(raw: RawParameters, rules: Rules): Parameters {
  if (rules === 'any') return raw;
  const errors: Record<string, string> = {};
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(raw)) {
    const rule = rules[name];
    if (rule === undefined) {
      errors[name] = 'property is not defined in schema and the schema does not allow additional properties';
      continue;
    }
    const checked = check(value, rule);
    if (typeof checked === 'object' && 'error' in checked) errors[name] = checked.error;
    else result[name] = checked.value;
  }
  for (const [name, rule] of Object.entries(rules)) {
    if (rule.required && raw[name] === undefined) errors[name] = 'property is missing and it is not optional';
  }
  if (Object.keys(errors).length > 0) throw badParameters(errors);
  return result;
}

function check(
  value: string | readonly string[],
  rule: ParameterRule,
): { error: string } | { value: unknown } {
  if (rule.type === 'array') return { value: typeof value === 'string' ? [value] : value };
  if (typeof value !== 'string') return { error: `type check ('${rule.type}') failed - got ARRAY` };
  if (rule.type === 'integer') {
    if (!/^-?\d+$/.test(value)) return { error: `type check ('integer') failed - got '${value}'` };
    const number = Number(value);
    if (rule.minimum !== undefined && number < rule.minimum) {
      return { error: `value must have a minimum value of ${rule.minimum}` };
    }
    return { value: number };
  }
  if (rule.type === 'boolean') {
    if (/^(1|on|yes|true)$/i.test(value)) return { value: true };
    if (/^(0|off|no|false)$/i.test(value)) return { value: false };
    return { error: `type check ('boolean') failed - got '${value}'` };
  }
  if (rule.values !== undefined && !rule.values.includes(value)) {
    return { error: `value '${value}' does not have a value in the enumeration '${rule.values.join(', ')}'` };
  }
  if (rule.maxLength !== undefined && value.length > rule.maxLength) {
    return { error: `value may only be ${rule.maxLength} characters long` };
  }
  if (rule.pattern !== undefined && !rule.pattern.test(value)) {
    return { error: `invalid format - value does not look like a valid ${rule.format ?? 'string'}\n` };
  }
  return { value };
}
