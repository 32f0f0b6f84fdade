import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { admissionPorts, requestOf } from '../../test/support/admission.ts'
import { until } from '../../test/support/settle.ts'
import { createAdmission } from './create-admission.ts'
import { DOWN_MS, PROBE_MS } from './source-checks.ts'

let directory: string
let socket: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'source-checks-'))
  socket = join(directory, 'sock')
})
afterAll(() => rmSync(directory, { recursive: true }))

async function startDaemon(): Promise<Server> {
  const daemon = createServer((_, response) => response.end('{"BackendState":"Running"}'))
  await new Promise<void>(resolve => daemon.listen(socket, resolve))
  return daemon
}

test('an unreachable daemon is a problem until it is back, even without clients (P-171)', async () => {
  const ports = admissionPorts()
  const admission = await createAdmission({ daemonSocket: socket }, ports)
  const [check] = admission?.checks ?? []
  if (admission === undefined || check === undefined) throw new Error('make admission: there is no check')
  expect([check.name, check.degradesOnly, check.problem()]).toEqual(['admission-daemon', false, undefined])
  admission.start()
  await until(() => check.problem() !== undefined, 'the lost daemon is noticed')
  expect(check.problem()).toContain(socket)
  const daemon = await startDaemon()
  ports.clock.advance(PROBE_MS)
  await until(() => check.problem() === undefined, 'the daemon is back')
  expect(ports.lines.map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'admission backend unreachable'],
    ['info', 'admission backend is back'],
  ])
  admission.close()
  await until(() => ports.clock.pendingTimers === 0, 'nobody is asking')
  await new Promise(resolve => daemon.close(resolve))
})

test('an unreachable admission URL is a problem for a limited time, because only logins show whether it is back (P-171)', async () => {
  const ports = admissionPorts()
  const admission = await createAdmission({ url: 'http://127.0.0.1:9/' }, ports)
  const [check] = admission?.checks ?? []
  if (admission === undefined || check === undefined) throw new Error('make admission: there is no check')
  expect(await admission.gate.admit(requestOf())).toMatchObject({ admit: false })
  expect([check.name, check.degradesOnly]).toEqual(['admission-url', false])
  ports.clock.advance(DOWN_MS)
  expect(check.problem()).toContain('http://127.0.0.1:9')
  ports.clock.advance(1)
  expect(check.problem()).toBeUndefined()
  admission.close()
})

test('a source without which clients are still admitted only degrades the relay (P-171)', async () => {
  const settings = { daemonSocket: socket, url: 'http://127.0.0.1:9/' }
  const degrades = async (more: object) => {
    const admission = await createAdmission({ ...settings, ...more }, admissionPorts())
    return admission?.checks.map(({ degradesOnly }) => degradesOnly)
  }
  expect(await degrades({})).toEqual([false, false])
  expect(await degrades({ urlFailOpen: true })).toEqual([false, true])
  expect(await degrades({ memoryMs: 1 })).toEqual([true, true])
})
