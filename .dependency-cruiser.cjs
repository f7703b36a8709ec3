/**
 * The arrows between rooms: specs -> routines -> fixtures/index -> rooms -> lower rooms. See docs/architecture.md.
 * @type {import('dependency-cruiser').IConfiguration}
 */
const rooms = [
  'actions',
  'proxmox',
  'lease',
  'ssh',
  'vnc',
  'vision',
  'visual',
  'recording',
  'recorder',
  'trace',
  'app',
  'matchers',
  'page',
  'machine',
  'playwright-trace',
];
const never = (name, from, to, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: to },
});
/** Which rooms a room may look into, beside config, image, pending, process, secrets, wire and errors. */
const below = {
  actions: [],
  proxmox: [],
  lease: ['proxmox'],
  ssh: [],
  vnc: [],
  vision: [],
  visual: [],
  recording: ['vnc'],
  recorder: ['page', 'recording', 'vnc', 'vision'],
  trace: ['ssh', 'lease'],
  app: ['ssh'],
  matchers: ['vnc', 'vision', 'visual'],
  page: ['app', 'matchers', 'ssh', 'vision', 'vnc'],
  'playwright-trace': ['actions', 'page', 'recording', 'vision', 'vnc'],
  machine: ['app', 'lease', 'page', 'proxmox', 'ssh', 'vision', 'vnc'],
};
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    never(
      'fixtures-not-lab',
      '^fixtures/',
      '^(lab|cli|reporters|runs|routines|specs|tests|bench)/',
      'fixtures only know a URL',
    ),
    never(
      'lab-not-fixtures',
      '^lab/',
      '^(fixtures|cli|reporters|runs|routines|specs|tests|bench)/',
      'the lab is a peer, not a helper',
    ),
    never(
      'reporters-not-live',
      '^reporters/(?!lease\\.ts|recover\\.ts)',
      '^(lab|cli|routines|specs|tests|bench)/|^fixtures/(?!config/|process/|secrets/|errors)',
      'reports come from events',
    ),
    never(
      'runs-not-live',
      '^runs/(?!progress\\.ts|recovery\\.ts)',
      '^(lab|cli|reporters|routines|specs|tests|bench)/|^fixtures/(?!config/|process/|secrets/|errors|bounded)',
      'what a run proves comes from its records',
    ),
    never(
      'lease-reporter',
      '^reporters/lease\\.ts',
      '^(lab|cli|routines|specs|tests|bench)/|^fixtures/(?!config/|secrets/|errors|lease/|proxmox/)',
      'reports nothing: it gives the machines back when the run ends',
    ),
    never(
      'progress',
      '^runs/progress\\.ts',
      '^(lab|cli|reporters|routines|specs|tests|bench)/|^fixtures/(?!lease/progress)',
      'tells the leases how far the run has come',
    ),
    never(
      'recovery',
      '^(runs/recovery|reporters/recover)\\.ts',
      '^(lab|cli|routines|specs|tests|bench)/|^fixtures/(?!config/|process/|secrets/|errors|lease/|proxmox/|trace/)',
      'finishes what killed runs left: their traces, journals and leases',
    ),
    never(
      'trace-lease',
      '^fixtures/trace/',
      '^fixtures/lease/(?!identity)',
      'trace may know who holds a lease, not leases',
    ),
    never(
      'routines-down',
      '^routines/',
      '^(lab|cli|reporters|runs|specs|tests|bench)/',
      'routines sit on fixtures',
    ),
    never(
      'specs-down',
      '^specs/',
      '^(lab|cli|reporters|runs|tests|bench)/',
      'specs use fixtures and routines',
    ),
    never(
      'product-not-tests',
      '^(fixtures|routines|reporters|runs|cli|lab)/',
      '^(tests|bench)/',
      'the product never needs its tests',
    ),
    never(
      'low-rooms',
      '^fixtures/(config|image|pending|process|secrets|wire|errors)',
      `^fixtures/(${rooms.join('|')}|index)`,
      'shared ground looks at nothing above',
    ),
    never(
      'wire-is-low',
      '^fixtures/vnc/rfb/',
      '^fixtures/vnc/(?!rfb/|clock)',
      'the wire knows nothing of pages',
    ),
    ...Object.entries(below).map(([room, allowed]) =>
      never(
        `room-${room}`,
        `^fixtures/${room}/`,
        `^fixtures/(${[...rooms.filter((other) => other !== room && !allowed.includes(other)), 'index'].join('|')})`,
        `${room} may use ${[...allowed, 'config', 'image', 'pending', 'process', 'secrets', 'wire', 'errors'].join(', ')}`,
      ),
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node'],
    },
  },
};
