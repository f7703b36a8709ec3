/**
 * What went wrong, in groups: the machine, the picture, the product.
 *
 * @module
 */

import { Status } from 'allure-js-commons';
import type { Category } from 'allure-js-commons/sdk';

/** `[CODE]` at the beginning of an error of vmwright, behind the class name that Playwright may put before it. */
const CODE = /^(?:\w*Error: )?\[(?<code>[A-Z][A-Z\d_]+)\] /;

/**
 * Codes of docs/troubleshooting.md that tell of cluster, network, machine or settings. Not among them: what the
 * application did, and commands in the guest that failed.
 */
const INFRASTRUCTURE = [
  String.raw`(?:AGENT|GPU|LAB|LEASE|NODE|PROXMOX|SETTING|SNAPSHOT|TASK|TLS|VM|VNC)_\w+`,
  'SSH_(?:UNREACHABLE|JUMP_REFUSED|AUTH_FAILED|CONNECTION_LOST|HOST_KEY_CHANGED|HOST_KEY_UNKNOWN)',
  'VLM_(?:AUTH_FAILED|BUDGET_SPENT|PROTOCOL_ERROR|RATE_LIMITED|REFUSED|SERVER_ERROR|TIMEOUT|UNREACHABLE)',
  'CONFIG_CHANGED|HARDWARE_UNSUITABLE|LAUNCHER_NOT_SHOWN|MACHINE_MISSING|MATRIX_INVALID|NO_AUTOLOGIN',
  'OCR_RUNTIME_MISSING|PACKAGE_MISSING|PROFILE_UNKNOWN|SECRET_MISSING|UNLOCK_FAILED',
].join('|');
const WHOLE = new RegExp(`^(?:${INFRASTRUCTURE})$`);

/** The code at the beginning of an error's message; undefined when it is none of vmwright's. */
export function codeOf(message: string): string | undefined {
  return CODE.exec(message)?.groups?.code;
}

/** Whether it is the machine's fault or the cluster's, and says nothing of the product. */
export function isInfrastructure(code: string): boolean {
  return WHOLE.test(code);
}

/** Allure takes the first that fits. */
export const CATEGORIES: Category[] = [
  {
    name: 'Infrastructure',
    matchedStatuses: [Status.BROKEN],
    messageRegex: String.raw`^(?:\w*Error: )?\[(?:${INFRASTRUCTURE})\] [\s\S]*`,
  },
  {
    name: 'Visual differences',
    matchedStatuses: [Status.FAILED],
    messageRegex: String.raw`[\s\S]*toHaveScreenshot\([\s\S]*`,
  },
  { name: 'Flaky', matchedStatuses: [Status.PASSED], flaky: true },
  { name: 'Product failures', matchedStatuses: [Status.FAILED] },
  {
    name: 'Time-outs',
    matchedStatuses: [Status.BROKEN],
    messageRegex: String.raw`[\s\S]*[Tt]imeout [\s\S]*`,
  },
];
