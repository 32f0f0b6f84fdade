/**
 * The layers of the house: imports point down, and folders of one layer do not know each other.
 * The map with its reasons is in docs/understand/architecture.md.
 */

const LAYERS = [
  ['lib'],
  ['keys'],
  ['protocol', 'stun', 'transport', 'metrics', 'derpmap'],
  ['client', 'server', 'tls'],
  ['admission', 'diagnose', 'listen', 'mesh', 'netcheck', 'status'],
  ['http', 'workers', 'backplane', 'monitor'],
  ['relay', 'web', 'sim'],
  ['daemon'],
  ['cli'],
  ['bin', 'entries'],
]

/** Folders that must run in a browser; files named node-*.ts apart. */
const PURE = ['lib', 'keys', 'protocol', 'transport', 'metrics', 'derpmap', 'server', 'client', 'diagnose', 'netcheck']

/** Where such a folder may meet Node: its node-*.ts files (node-key.ts is a key). */
const NODE_FILES = '/node-(?!key)[^/]+\\.ts$'

const inFolders = folders => `^src/(?:${folders.join('|')})[/.]`

const layerRules = LAYERS.flatMap((folders, layer) =>
  folders.map(folder => {
    const below = LAYERS.slice(0, layer).flat()
    return {
      name: `layer-${folder}`,
      comment: `${folder} imports only from its own folder and from lower layers`,
      severity: 'error',
      from: { path: `^src/${folder}[/.]`, pathNot: '\\.test\\.ts$' },
      to: { path: '^src/', pathNot: inFolders([folder, ...below]) },
    }
  }),
)

export default {
  forbidden: [
    ...layerRules,
    {
      name: 'no-cycle',
      comment: 'no import cycles; imports of types count',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'pure-core',
      comment: 'the core knows no Node module, so that it runs in browsers and under a test clock',
      severity: 'error',
      from: { path: inFolders(PURE), pathNot: [NODE_FILES, '\\.test\\.ts$'] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-core-not-by-a-friend',
      comment: 'nor does it reach one through a node-*.ts file; only entries and such files do',
      severity: 'error',
      from: { path: inFolders(PURE), pathNot: [NODE_FILES, '\\.test\\.ts$'] },
      to: { path: `^src/.*${NODE_FILES}` },
    },
    {
      name: 'no-tests-in-source',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '(?:^test/|\\.test\\.ts$)' },
    },
  ],
  options: {
    parser: 'swc',
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
}
