/** Tests of what sockets, TLS and HTTP of the runtime do, run inside Bun: there both ends are Bun's. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { RUNTIME_PATH } from '../support/runtime.ts'

const ROOT = join(import.meta.dirname, '../..')
const FILES = [
  'src/http/debug',
  'src/listen',
  'src/tls',
  'src/transport',
  'test/integration/accept-limits',
  'test/integration/debug-runtime',
  'test/integration/early-upgrades',
  'test/integration/embedding',
  'test/integration/hostile-tls',
  'test/integration/http',
  'test/integration/limits',
  'test/integration/mounts',
  'test/integration/node-conn',
  'test/integration/proxy-headers',
  'test/integration/tls',
  'test/integration/turn-budget',
]

test('listeners, TLS and HTTP work inside Bun', async () => {
  // The pool of processes needs what Bun lacks.
  const pool = ['--pool=threads', '--no-isolate', '--project', 'unit', '--project', 'integration']
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...pool, '--reporter=dot', ...FILES]
  const child = spawn(RUNTIME_PATH, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, errors] = [text(child.stdout), text(child.stderr)]
  const [code] = (await once(child, 'close')) as [number | null]
  expect(code, `${await output}\n${await errors}`).toBe(0)
})
