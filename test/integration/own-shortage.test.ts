import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { listenOnLoopback } from '../support/socket-server.ts'

const PROGRAM = join(import.meta.dirname, '../support/starved-admission-program.ts')

test('without file descriptors nobody is admitted, whatever fail-open says, and the backends are not blamed (P-040)', async () => {
  await using controller = await listenOnLoopback(createServer((_, response) => void response.end('{"Allow":true}')))
  const directory = mkdtempSync(join(tmpdir(), 'own-shortage-'))
  const socket = join(directory, 'tailscaled.sock')
  const daemon = createServer((_, response) => void response.end('{"BackendState":"Running"}'))
  await new Promise<void>(resolve => daemon.listen(socket, resolve))
  const url = `http://127.0.0.1:${controller.port}/`
  const limited = ['-c', 'ulimit -n 64 && exec "$0" "$@"', process.execPath, PROGRAM, url, socket]
  const { stdout } = await promisify(execFile)('bash', limited)
  const refused = { before: true, starved: false, overloaded: 1, sourceDown: 0, admittedByFailOpen: 0 }
  expect(JSON.parse(stdout)).toEqual([refused, refused])
  await new Promise(resolve => daemon.close(resolve))
  rmSync(directory, { recursive: true })
})
