/**
 * What can go wrong with the real guest before there is a guest.
 *
 * @module
 */

/**
 * A fault that the user of the lab can mend. Codes: `LAB_IMAGE_MISSING`, `LAB_TOOL_MISSING`, `LAB_SOURCES_MISSING`,
 * `LAB_DISK_FULL`, `LAB_IN_USE`, `LAB_BUILD_FAILED`, `LAB_READY_TIMEOUT`, `LAB_QEMU_FAILED`, `LAB_ACCELERATOR`.
 */
export class LabError extends Error {
  override readonly name = 'LabError';
  readonly code: string;
  readonly next: string | undefined;

  constructor(init: { code: string; subject: string; message: string; seen?: string; next?: string }) {
    const seen = init.seen === undefined ? '' : `\n  seen:     ${init.seen}`;
    const next = init.next === undefined ? '' : `\n  next:     ${init.next}`;
    super(`[${init.code}] ${init.subject}: ${init.message}${seen}${next}`);
    this.code = init.code;
    this.next = init.next;
  }
}
