import { expect, test } from 'vitest'
import { admissionPorts, requestOf } from '../../test/support/admission.ts'
import type { AdmissionVerdict } from '../server/ports.ts'
import { Readmission, type ReadmittedClient } from './readmission.ts'

class FakeClient implements ReadmittedClient {
  readonly key = requestOf().clientKey
  readonly info = requestOf().info
  readonly remote = requestOf().remote
  readonly token: string | undefined
  readonly canMesh: boolean
  isClosed = false

  constructor({ token, canMesh = false }: { token?: string; canMesh?: boolean } = {}) {
    this.token = token
    this.canMesh = canMesh
  }

  close(): void {
    this.isClosed = true
  }
}

const NO: AdmissionVerdict = { admit: false, reason: 'test' }

test('Readmission disconnects clients that the rules no longer admit, except mesh peers, and reports how many (P-040)', async () => {
  const { log, lines } = admissionPorts()
  const [good, bad, meshPeer] = [new FakeClient(), new FakeClient({ token: 't' }), new FakeClient({ canMesh: true })]
  const asked: unknown[] = []
  const gate = {
    admit: async (request: object): Promise<AdmissionVerdict> => {
      asked.push(request)
      return asked.length === 1 ? NO : { admit: true }
    },
  }
  await new Readmission(() => [good, bad, meshPeer], gate, log).run()
  expect([good, bad, meshPeer].map(({ isClosed }) => isClosed)).toEqual([false, true, false])
  expect(asked[0]).toEqual({ clientKey: bad.key, info: bad.info, remote: bad.remote, token: 't' })
  expect(lines).toEqual([{ level: 'info', message: 'clients re-checked', fields: { asked: 2, ended: 1 } }])
})

test('Readmission disconnects no one while a backend is unreachable (P-040)', async () => {
  const clients = [new FakeClient(), new FakeClient()]
  const answers = [Promise.reject(new Error('broken')), Promise.resolve<AdmissionVerdict>({ ...NO, isUnsure: true })]
  const gate = { admit: () => answers.shift() ?? Promise.resolve(NO) }
  await new Readmission(() => clients, gate, admissionPorts().log).run()
  expect(clients.map(({ isClosed }) => isClosed)).toEqual([false, false])
})

test('Readmission limits concurrency, runs one pass at a time, and stops (P-040)', async () => {
  const clients = Array.from({ length: 20 }, () => new FakeClient())
  const pending: (() => void)[] = []
  const gate = {
    admit: () => new Promise<AdmissionVerdict>(resolve => void pending.push(() => resolve(NO))),
  }
  const readmission = new Readmission(() => clients, gate, admissionPorts().log)
  const rounds = [readmission.run(), readmission.run(({ token }) => token !== undefined)]
  await Promise.resolve()
  expect(pending).toHaveLength(8)
  readmission.stop()
  for (const answer of pending) answer()
  await Promise.all(rounds)
  expect(clients.filter(({ isClosed }) => isClosed)).toHaveLength(8)
})
