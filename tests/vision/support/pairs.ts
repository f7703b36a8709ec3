/**
 * What a screen shows, what is asked for, and whether that is there: kinds of texts that are alike and not the same.
 *
 * @module
 */

export interface Pair {
  /** Lines, one below the other. */
  readonly shown: readonly string[];
  readonly asked: string;
  /** Nobody can tell from a picture: neither presence nor absence may be proven. */
  readonly there: boolean | 'open';
  readonly kind: string;
}

type Row = readonly [shown: string | readonly string[], ...asked: string[]];

/** Kinds by name: what is shown, and texts of which none is there. */
const DECOYS: Readonly<Record<string, readonly Row[]>> = {
  'word inside a word': [
    ['Disconnected from server', 'Connected from server', 'connected'],
    ['Incomplete download', 'Complete download'],
    ['Unavailable offline', 'Available offline'],
    ['Reconnecting now', 'Connecting now', 'connect'],
    ['non-critical update', 'critical update'],
    ['Deactivated account', 'Activated account', 'Deactivate'],
  ],
  'number inside a number': [
    ['15 errors found', '5 errors found', '1 errors found'],
    ['Order 20481 shipped', 'Order 2048', '0481'],
    ['Port 8006 open', '800', '006'],
    ['10 of 120 files', '0 of 120 files', '10 of 12'],
  ],
  'digits out of letters': [
    ['THIS IS SO', '15', '50'],
    ['SOS signal', '505'],
    ['Il Bello', '11'],
  ],
  'across a space': [
    ['Number of files', 'Off', 'off'],
    ['Log in now', 'login', 'inn'],
    ['Set up a device', 'Setup', 'pad'],
    ['Sign out all', 'signout'],
  ],
  'a space that is not there': [
    ['Login failed', 'Log in failed'],
    ['Setup wizard', 'Set up wizard'],
    ['Everyday notes', 'Every day notes'],
  ],
  'separator in a number': [
    ['Price 1.50 net', 'Price 150 net', 'Price 15.0 net'],
    ['10.5 GB free', '105 GB free', '10 GB free', '5 GB free'],
    ['Ratio 12.345 max', 'Ratio 123.45 max', 'Ratio 12345 max'],
    ['Host 10.1.12.3 up', 'Host 10.11.2.3 up', 'Host 101.12.3 up'],
    ['At 1:23 today', 'At 12:3 today', 'At 123 today'],
    ['Total 1,250 pieces', 'Total 1250 pieces', 'Total 12,50 pieces'],
  ],
  sign: [
    ['Temp -12 degrees', 'Temp 12 degrees', 'Temp +12 degrees'],
    ['Offset +5 px', 'Offset 5 px', 'Offset -5 px'],
    ['Gain -0.5 dB', 'Gain 0.5 dB', 'Gain -5 dB'],
  ],
  operator: [
    ['x > 5 true', 'x < 5 true', 'x 5 true', 'x = 5 true'],
    ['a + b', 'a - b', 'a b'],
    ['1 = 2', '1 + 2'],
  ],
  'mark behind a letter': [
    ['Grade A+ given', 'Grade A given', 'Grade A- given'],
    ['Learn C# today', 'Learn C today', 'Learn C++ today'],
    ['Notes on C++ here', 'Notes on C here', 'Notes on C# here'],
  ],
  'look-alike': [
    ['Code S5Z2 valid', 'Code 55Z2 valid', 'Code S522 valid'],
    ['Room B8 free', 'Room 88 free', 'Room BB free'],
    ['Key O0O0 set', 'Key 0000 set'],
    ['Release 2.0 out', 'Release 2.O out'],
  ],
  'one digit': [
    ['exit 0', 'exit 1', 'exit 8'],
    ['Version 24.04', 'Version 24.10', 'Version 21.04'],
    ['3 messages', '8 messages', '5 messages'],
    ['Step 1 of 6', 'Step 1 of 5', 'Step 4 of 6'],
    ['17:40', '11:40', '17:46'],
  ],
  'one letter': [
    ['Accept the terms', 'Except the terms'],
    ['Look screen', 'Lock screen'],
    ['Mode changed', 'Node changed', 'Made changed'],
    ['Save as draft', 'Save us draft'],
    ['Enable sync', 'Unable sync'],
    ['Delete all', 'Delete ill'],
  ],
  'word left out': [
    ['Update was not installed', 'Update was installed'],
    ['No errors were found', 'errors found'],
    ['You are not signed in', 'You are signed in'],
  ],
  'stacked entries': [],
  columns: [],
};

/** What is there: shown, and asked for in these words. */
const PRESENT: Readonly<Record<string, readonly Row[]>> = {
  'as it is': [
    ['Disconnected from server', 'Disconnected from server', 'from server', 'Disconnected'],
    ['15 errors found', '15 errors', 'errors found', '15'],
    ['Price 1.50 net', 'Price 1.50', '1.50'],
    ['Temp -12 degrees', '-12 degrees', 'Temp'],
    ['x > 5 true', 'x > 5', 'true'],
    ['Learn C# today', 'C#', 'Learn C#'],
    ['Host 10.1.12.3 up', '10.1.12.3', 'Host', 'up'],
    ['exit 0', 'exit 0', 'exit', '0'],
    ['Invoice 2048 sent', 'Invoice 2048', 'sent'],
    ['Illegal instruction', 'Illegal', 'instruction'],
    ['All files in Folder', 'All files', 'in Folder'],
    ['Settings', 'Settings'],
    ['Forgot your password?', 'Forgot your password', 'password'],
  ],
  case: [
    ['Log in', 'log in', 'LOG IN'],
    ['CANCEL', 'Cancel'],
    ['Sign Out', 'sign out'],
  ],
  'marks that do not count': [
    ['Loading data...', 'Loading data'],
    ['“Saved”, he said', 'Saved', 'he said'],
    ['Done. Close this window!', 'Done', 'Close this window'],
    ['- first point', 'first point'],
    ['Are you sure?', 'Are you sure'],
    ['Name: Alice', 'Name', 'Alice', 'Name: Alice'],
    ['Signed in as alice@example.test', 'Signed in as alice', 'alice@example.test'],
    ['/usr/local/bin', 'local', 'usr'],
  ],
};

/** Texts that run over two lines: there for an absence, in any case. */
export const WRAPPED: readonly (readonly [shown: readonly string[], asked: string])[] = [
  [['Authentication failed: wrong user', 'name or password'], 'wrong user name or password'],
  [['The connection to the server was', 'lost. Try again later.'], 'the server was lost'],
  [['Your changes could not be saved on', 'this device'], 'could not be saved on this device'],
  [['A new version of the application is', 'ready to be installed'], 'application is ready to be installed'],
];

/** Entries one below the other: neither there nor surely not. */
export const STACKED: readonly (readonly [shown: readonly string[], asked: string])[] = [
  [['New', 'File'], 'New File'],
  [['Open', 'Recent', 'Close'], 'Open Recent'],
  [['Delete', 'All'], 'Delete All'],
];

const listed = (rows: Readonly<Record<string, readonly Row[]>>, there: boolean): Pair[] =>
  Object.entries(rows).flatMap(([kind, list]) =>
    list.flatMap(([shown, ...asked]) =>
      asked.map((text) => ({ shown: [shown].flat(), asked: text, there, kind })),
    ),
  );

export const PAIRS: readonly Pair[] = [
  ...listed(DECOYS, false),
  ...listed(PRESENT, true),
  ...WRAPPED.map(([shown, asked]) => ({ shown, asked, there: true, kind: 'wrapped' })),
  ...STACKED.map(([shown, asked]) => ({ shown, asked, there: 'open' as const, kind: 'stacked' })),
];
