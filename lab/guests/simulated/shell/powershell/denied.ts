/**
 * "Access denied", as each cmdlet says it.
 *
 * @module
 */
import { type ErrorRecord, errorRecord } from './errors.ts';

/** E_ACCESSDENIED, signed as .NET has it. */
const E_ACCESSDENIED = -2_147_024_891;

/** Of a cmdlet made from CIM: the code is in the id, the category says it in every language. */
export function denied(cmdlet: string, code: string): ErrorRecord {
  return errorRecord(`${cmdlet} : Access is denied.`, `${code},${cmdlet}`, 'PermissionDenied');
}

/** `Get-WinEvent`'s own: an UnauthorizedAccessException, which ends the command. */
export function unauthorized(): ErrorRecord {
  const message = 'Attempted to perform an unauthorized operation.';
  return {
    ...errorRecord(
      `Get-WinEvent : ${message}`,
      `${message},Microsoft.PowerShell.Commands.GetWinEventCommand`,
      'NotSpecified',
      E_ACCESSDENIED,
    ),
    isTerminating: true,
  };
}

/** An item of the file system that the caller may not touch. */
export function noAccess(cmdlet: string, id: string, path: string): ErrorRecord {
  return errorRecord(
    `${cmdlet} : Access to the path '${path}' is denied.`,
    `${id},Microsoft.PowerShell.Commands.${cmdlet.replace('-', '')}Command`,
    'PermissionDenied',
    E_ACCESSDENIED,
  );
}

/** ERROR_SHARING_VIOLATION as an HRESULT: 0x80070020. */
const SHARING_VIOLATION = -2_147_024_864;

export function inUse(cmdlet: string, path: string): ErrorRecord {
  return errorRecord(
    `${cmdlet} : Cannot remove item ${path}: The process cannot access the file '${path}' because it is being used by another process.`,
    `RemoveFileSystemItemIOError,Microsoft.PowerShell.Commands.${cmdlet.replace('-', '')}Command`,
    'WriteError',
    SHARING_VIOLATION,
  );
}
