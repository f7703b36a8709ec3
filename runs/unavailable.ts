/**
 * Failures that say nothing of the application: the cluster, the machine or its guest was not to be reached.
 *
 * @module
 */

const UNAVAILABLE: readonly string[] = [
  ...'PROXMOX_UNREACHABLE PROXMOX_NODE_UNREACHABLE LAB_GONE LEASE_HELD LEASE_LOST'.split(' '),
  ...'VM_LOCKED VM_BUSY VM_STATUS_TIMEOUT VM_NO_ADDRESS NETWORK_LOST GPU_HELD GPU_BUSY TASK_TIMEOUT'.split(
    ' ',
  ),
  ...'AGENT_NOT_RUNNING SSH_UNREACHABLE SSH_JUMP_REFUSED VNC_UNREACHABLE VNC_REFUSED'.split(' '),
];

export function isUnavailableCode(code: string): boolean {
  return UNAVAILABLE.includes(code);
}

/** By the code that a `VmwrightError` begins with. */
export function isUnavailable(error: string): boolean {
  const code = /^(?:\w+: )?\[([A-Z_]+)\] /.exec(error)?.[1];
  return code !== undefined && isUnavailableCode(code);
}
