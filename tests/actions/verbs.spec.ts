/**
 * Every verb that a spec has is a step, or is known to be none: a new one that stands nowhere fails here.
 */
import { expect, test } from '@playwright/test';
import { VERBS } from '../../fixtures/actions/index.ts';
import { App, Apps } from '../../fixtures/app/index.ts';
import { DescribedLocator } from '../../fixtures/page/claims.ts';
import { ScreenLocator } from '../../fixtures/page/screen-locator.ts';
import { type TestPage, withEyes } from '../../fixtures/page/test-page.ts';
import { GuestAgent } from '../../fixtures/proxmox/agent.ts';
import { Snapshots } from '../../fixtures/proxmox/snapshots.ts';
import { Vm } from '../../fixtures/proxmox/vm.ts';
import { SshSession } from '../../fixtures/ssh/index.ts';
import { VncPage } from '../../fixtures/vnc/index.ts';
import { Keyboard } from '../../fixtures/vnc/keyboard.ts';
import { Locator } from '../../fixtures/vnc/locator.ts';
import { Mouse } from '../../fixtures/vnc/mouse.ts';
import { isAction } from '../../runs/actions.ts';

interface Class {
  readonly prototype: object;
}
/** In words, why it is no step. */
type Reasons = Readonly<Record<string, string>>;

const NOW = 'answers at once';
const OWN = "is the product's own";

const page: TestPage = withEyes(Object.create(VncPage.prototype) as VncPage);

const NO_STEPS: readonly (readonly [keyof typeof VERBS, readonly object[], Reasons])[] = [
  [
    'vncPage',
    [VncPage.prototype, page],
    {
      latest: NOW,
      secretsOn: NOW,
      onDirty: NOW,
      changes: 'is a stream: each picture of it is no step',
      locator: NOW,
      close: OWN,
      getByText: NOW,
      getByLabel: NOW,
      getByImage: NOW,
      getByDescription: NOW,
      ifVisible: 'makes a step of its look, which what it runs is not inside of',
    },
  ],
  [
    'locator',
    prototypes(Locator, ScreenLocator, DescribedLocator),
    {
      toString: NOW,
      nth: NOW,
      first: NOW,
      last: NOW,
      filter: NOW,
      or: NOW,
      near: NOW,
      getByText: NOW,
    },
  ],
  ['keyboard', prototypes(Keyboard), { reset: OWN }],
  ['mouse', prototypes(Mouse), { tickle: OWN, nudge: OWN }],
  ['ssh', prototypes(SshSession), { defaultShell: NOW, shellGreeting: NOW, disconnect: NOW, close: OWN }],
  ['app', prototypes(App), { movingAreas: NOW }],
  ['apps', prototypes(Apps), {}],
  ['vm', prototypes(Vm), { requireLease: OWN, accompany: OWN, away: OWN, stayedLocked: NOW }],
  ['snapshots', prototypes(Snapshots), {}],
  ['agent', prototypes(GuestAgent), { restartWindows: OWN, waitSilent: OWN }],
];

function prototypes(...classes: readonly Class[]): object[] {
  return classes.map(({ prototype }) => prototype);
}

function methodsOf(object: object): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(object))
    .filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor')
    .map(([name]) => name);
}

test('TV1: each public verb is a step, or is known to be none', () => {
  for (const [kind, objects, reasons] of NO_STEPS) {
    const methods = [...new Set(objects.flatMap(methodsOf))].toSorted();
    expect([...Object.keys(VERBS[kind]), ...Object.keys(reasons)].toSorted(), kind).toEqual(methods);
  }
  const checked = NO_STEPS.map(([kind]) => kind);
  expect(Object.keys(VERBS).filter((kind) => !checked.includes(kind as never))).toEqual(['proxmox', 'api']);
});

test('TV1: each is told from the steps of a scenario', () => {
  for (const [kind, verbs] of Object.entries(VERBS))
    for (const verb of Object.keys(verbs)) expect(isAction({ subtitle: `${kind}.${verb}` })).toBe(true);
  for (const subtitle of [undefined, '', 'vm', 'SKU 42', 'page.goto', 'ssh.exec on two', 'getByRole(...)'])
    expect(isAction(subtitle === undefined ? {} : { subtitle })).toBe(false);
});
