/** What each command prints for `-version`: version, commit and runtime. A build also says that the tree had changes. */
export const VERSION_LINE: Readonly<Record<'any' | 'node' | 'bun', RegExp>> = {
  any: lineOn('(Node\\.js|Bun) \\d+\\.\\d+\\.\\d+'),
  node: lineOn('Node\\.js 26\\.\\d+\\.\\d+'),
  bun: lineOn('Bun 1\\.4\\.5'),
}

function lineOn(runtime: string): RegExp {
  return new RegExp(`^\\d+\\.\\d+\\.\\d+-g[0-9a-f]{9,}(-dirty)? on ${runtime}\\n?$`)
}
