import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { admissionPorts, requestOf } from '../../test/support/admission.ts'
import { NodePrivateKey } from '../keys/node-key.ts'
import { AllowedKeys, DeniedKeys, parseKeyList } from './key-file.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'key-file-'))
  path = join(directory, 'keys')
})
afterEach(() => rmSync(directory, { recursive: true }))

const freshKey = () => NodePrivateKey.generate().publicKey()
const LOOK_MS = 2_000

test('parseKeyList reads keys with comments, blank lines and any line ends', () => {
  const [a, b] = [freshKey(), freshKey()]
  const keys = parseKeyList(`# who may\r\n\r\n  ${a}  # the prober\r\n${b.toHex()}\n\n`)
  expect([...keys].map(([key]) => key.toString())).toEqual([a.toString(), b.toString()])
  expect(parseKeyList('').size).toBe(0)
})

test.each([
  ['nodekey:12', /^line 2: parse node public key nodekey:12…: has 2 hex digits, expected 64$/],
  [`privkey:${'ab'.repeat(32)}`, /^line 2: parse node public key: neither/],
  [`nodekey:${'0'.repeat(64)}`, /^line 2: the key is all zero$/],
])('parseKeyList names the line of %s, and shows no secret', (line, message) => {
  expect(() => parseKeyList(`# keys\n${line}\n`)).toThrow(message)
})

test('AllowedKeys admits only the keys in its file, and no one if it is empty (P-040)', async () => {
  const key = freshKey()
  writeFileSync(path, `${key}\n`)
  const [policy, ports] = [new AllowedKeys(path, admissionPorts()), admissionPorts()]
  expect(await policy.admit(requestOf({ clientKey: key }))).toEqual({ admit: true, by: 'allow list' })
  expect(await policy.admit(requestOf())).toMatchObject({ admit: false, cause: 'key_not_listed' })
  writeFileSync(path, '')
  expect(await new AllowedKeys(path, ports).admit(requestOf({ clientKey: key }))).toMatchObject({ admit: false })
})

test('DeniedKeys refuses only the keys in its file (P-040)', async () => {
  const key = freshKey()
  writeFileSync(path, `${key}\n`)
  const policy = new DeniedKeys(path, admissionPorts())
  expect(await policy.admit(requestOf({ clientKey: key }))).toMatchObject({ admit: false, cause: 'key_denied' })
  expect(await policy.admit(requestOf())).toMatchObject({ admit: true })
})

test('an unreadable or invalid list is rejected with file and line', () => {
  expect(() => new AllowedKeys(path, admissionPorts())).toThrow(`read allow list ${path}: ENOENT`)
  writeFileSync(path, '\nnodekey:zz\n')
  expect(() => new DeniedKeys(path, admissionPorts())).toThrow(`read deny list ${path}: line 2: `)
})

test('a changed list is loaded, and revoked keys are reported (P-040)', async () => {
  const [stays, leaves, comes] = [freshKey(), freshKey(), freshKey()]
  writeFileSync(path, `${stays}\n${leaves}\n`)
  const ports = admissionPorts()
  const revoked: string[] = []
  const [allowed, denied] = [AllowedKeys, DeniedKeys].map(
    Policy => new Policy(path, ports, key => revoked.push(`${Policy.name} ${key}`)),
  ) as [AllowedKeys, DeniedKeys]
  writeFileSync(path, `${stays}\n${comes}\n`)
  expect(await allowed.admit(requestOf({ clientKey: comes }))).toMatchObject({ admit: false })
  ports.clock.advance(LOOK_MS)
  expect(await allowed.admit(requestOf({ clientKey: comes }))).toMatchObject({ admit: true })
  expect(await allowed.admit(requestOf({ clientKey: leaves }))).toMatchObject({ admit: false })
  expect(await denied.admit(requestOf({ clientKey: leaves }))).toMatchObject({ admit: true })
  expect(revoked).toEqual([`AllowedKeys ${leaves}`, `DeniedKeys ${comes}`])
  expect(ports.counters.filesReloaded).toBe(2)
  ports.clock.advance(LOOK_MS)
  expect(ports.counters.filesReloaded).toBe(2)
})

test('a bad or missing new list is logged once and the old one stays in use; a good one is loaded later', async () => {
  const key = freshKey()
  const request = requestOf({ clientKey: key })
  writeFileSync(path, `${key}\n`)
  const ports = admissionPorts()
  const policy = new AllowedKeys(path, ports)
  writeFileSync(path, `${freshKey()}\nnonsense\n`)
  ports.clock.advance(3 * LOOK_MS)
  expect(await policy.admit(request)).toMatchObject({ admit: true })
  rmSync(path)
  ports.clock.advance(3 * LOOK_MS)
  expect(await policy.admit(request)).toMatchObject({ admit: true })
  expect(ports.lines.map(({ level, fields }) => [level, fields['reason']])).toEqual([
    ['error', expect.stringContaining(`${path}: line 2: `)],
    ['error', expect.stringContaining(`${path}: ENOENT`)],
  ])
  expect(ports.counters).toMatchObject({ filesRejected: 2, filesReloaded: 0 })
  writeFileSync(path, '')
  policy.file.reload()
  expect(await policy.admit(request)).toMatchObject({ admit: false })
})

test('a redirected link and a replaced file count as changes; closing stops watching', async () => {
  const [a, b, c] = [freshKey(), freshKey(), freshKey()]
  for (const [name, key] of Object.entries({ a, b, c })) writeFileSync(join(directory, name), `${key}\n`)
  symlinkSync('a', path)
  const ports = admissionPorts()
  const policy = new AllowedKeys(path, ports)
  const isIn = async (clientKey: typeof a) => (await policy.admit(requestOf({ clientKey }))).admit
  symlinkSync('b', join(directory, 'new'))
  renameSync(join(directory, 'new'), path)
  ports.clock.advance(LOOK_MS)
  expect([await isIn(a), await isIn(b)]).toEqual([false, true])
  renameSync(join(directory, 'c'), path)
  policy.file.close()
  ports.clock.advance(LOOK_MS)
  expect([await isIn(b), await isIn(c)]).toEqual([true, false])
  expect(ports.clock.pendingTimers).toBe(0)
})
