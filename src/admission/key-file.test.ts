import { execFileSync } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { admissionPorts, requestOf } from '../../test/support/admission.ts'
import type { FakeClock } from '../../test/support/fake-clock.ts'
import { untilPolled } from '../../test/support/watching.ts'
import { NodePrivateKey, type NodePublicKey } from '../keys/node-key.ts'
import { AllowedKeys, DeniedKeys, parseKeyList } from './key-file.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'key-file-'))
  path = join(directory, 'keys')
})
afterEach(() => rmSync(directory, { recursive: true }))

const freshKey = () => NodePrivateKey.generate().publicKey()
const POLL_MS = 2_000
const SETTLE_MS = 5_000

test('parseKeyList reads keys with comments, blank lines and any line ends', () => {
  const [a, b] = [freshKey(), freshKey()]
  const keys = parseKeyList(`# who may\r\n\r\n  ${a}  # the prober\r\n${b.toHex()}\n\n`)
  expect([...keys].map(([key]) => key.toString())).toEqual([a.toString(), b.toString()])
  expect(parseKeyList('').size).toBe(0)
})

test.each([
  ['nodekey:12', /^line 2: parse node public key nodekey:12: has 10 characters, expected nodekey: and 64 hex digits$/],
  [`privkey:${'ab'.repeat(32)}`, /^line 2: parse node public key: starts with privkey:, not nodekey:$/],
  [`nodekey:${'0'.repeat(64)}`, /^line 2: the key is zero$/],
])('parseKeyList names the line of %s, and shows no secret', (line, message) => {
  expect(() => parseKeyList(`# keys\n${line}\n`)).toThrow(message)
})

test('AllowedKeys admits only the keys in its file, and no one if it is empty (P-040)', async () => {
  const key = freshKey()
  writeFileSync(path, `${key}\n`)
  const policy = await AllowedKeys.open(path, admissionPorts())
  expect(await policy.admit(requestOf({ clientKey: key }))).toEqual({ admit: true, by: 'allow list' })
  expect(await policy.admit(requestOf())).toMatchObject({ admit: false, cause: 'key_not_listed' })
  writeFileSync(path, '')
  const empty = await AllowedKeys.open(path, admissionPorts())
  expect(await empty.admit(requestOf({ clientKey: key }))).toMatchObject({ admit: false })
})

test('DeniedKeys refuses only the keys in its file (P-040)', async () => {
  const key = freshKey()
  writeFileSync(path, `${key}\n`)
  const policy = await DeniedKeys.open(path, admissionPorts())
  expect(await policy.admit(requestOf({ clientKey: key }))).toMatchObject({ admit: false, cause: 'key_denied' })
  expect(await policy.admit(requestOf())).toMatchObject({ admit: true })
})

test('an unreadable or invalid list is rejected with file and line', async () => {
  await expect(AllowedKeys.open(path, admissionPorts())).rejects.toThrow(`read allow list ${path}: ENOENT`)
  writeFileSync(path, '\nnodekey:zz\n')
  await expect(DeniedKeys.open(path, admissionPorts())).rejects.toThrow(`read deny list ${path}: line 2: `)
})

/** Lets the list be checked once. */
async function look({ clock }: { clock: FakeClock }, ms = POLL_MS): Promise<void> {
  clock.advance(ms)
  await untilPolled(clock)
}

/** Replaces the list by rename. */
function replaceBy(...keys: readonly NodePublicKey[]): void {
  writeFileSync(`${path}.new`, `${keys.join('\n')}\n`)
  renameSync(`${path}.new`, path)
}

test.for(['AllowedKeys', 'DeniedKeys'] as const)(
  '%s loads a changed list, and reports revoked keys (P-040)',
  async name => {
    const isAllow = name === 'AllowedKeys'
    const [stays, leaves, comes] = [freshKey(), freshKey(), freshKey()]
    writeFileSync(path, `${stays}\n${leaves}\n`)
    const ports = admissionPorts()
    const revoked: string[] = []
    const policy = await (isAllow ? AllowedKeys : DeniedKeys).open(path, ports, key => revoked.push(`${key}`))
    const isIn = async (clientKey: NodePublicKey) => (await policy.admit(requestOf({ clientKey }))).admit
    replaceBy(stays, comes)
    expect(await isIn(comes)).toBe(!isAllow)
    await look(ports)
    expect([await isIn(stays), await isIn(leaves), await isIn(comes)]).toEqual(
      isAllow ? [true, false, true] : [false, true, false],
    )
    expect(revoked).toEqual([`${isAllow ? leaves : comes}`])
    expect(ports.counters.filesReloaded).toBe(1)
    await look(ports)
    expect(ports.counters.filesReloaded).toBe(1)
  },
)

test('a bad or missing new list is logged once and the old one stays in use; a good one is loaded later', async () => {
  const key = freshKey()
  const request = requestOf({ clientKey: key })
  writeFileSync(path, `${key}\n`)
  const ports = admissionPorts()
  const policy = await AllowedKeys.open(path, ports)
  writeFileSync(path, `${freshKey()}\nnonsense\n`)
  for (let i = 0; i < 6; i++) await look(ports)
  expect(await policy.admit(request)).toMatchObject({ admit: true })
  rmSync(path)
  for (let i = 0; i < 6; i++) await look(ports)
  expect(await policy.admit(request)).toMatchObject({ admit: true })
  expect(ports.lines.map(({ level, fields }) => [level, fields['reason']])).toEqual([
    ['error', expect.stringContaining(`${path}: line 2: `)],
    ['error', expect.stringContaining(`${path}: ENOENT`)],
  ])
  expect(ports.counters).toMatchObject({ filesRejected: 2, filesReloaded: 0 })
  writeFileSync(path, '')
  await policy.file.reload()
  expect(await policy.admit(request)).toMatchObject({ admit: false })
})

test.for(['AllowedKeys', 'DeniedKeys'] as const)(
  '%s keeps its keys while its file is being rewritten in place, and drops them once it has settled (P-040)',
  async name => {
    const [first, second, third] = [freshKey(), freshKey(), freshKey()]
    writeFileSync(path, `${first}\n${second}\n`)
    const ports = admissionPorts()
    const revoked: string[] = []
    const policy = await (name === 'AllowedKeys' ? AllowedKeys : DeniedKeys).open(path, ports, key =>
      revoked.push(`${key}`),
    )
    const isListed = async (clientKey: NodePublicKey) =>
      (await policy.admit(requestOf({ clientKey }))).admit === (name === 'AllowedKeys')
    // A slow editor, or a copy.
    writeFileSync(path, '')
    await look(ports)
    await look(ports)
    writeFileSync(path, `${first}\n`)
    await look(ports)
    await look(ports)
    expect([await isListed(first), await isListed(second), revoked]).toEqual([true, true, []])
    writeFileSync(path, `${first}\n${second}\n${third}\n`)
    await look(ports)
    expect([await isListed(second), await isListed(third), ports.counters.filesReloaded]).toEqual([true, true, 1])

    writeFileSync(path, `${second}\n`)
    await look(ports)
    await look(ports, SETTLE_MS - 1)
    expect(await isListed(first)).toBe(true)
    await look(ports, 1)
    expect([await isListed(first), await isListed(second)]).toEqual([false, true])
  },
)

test('a list truncated in place is loaded immediately by a reload (P-040)', async () => {
  const [first, second] = [freshKey(), freshKey()]
  writeFileSync(path, `${first}\n${second}\n`)
  const policy = await AllowedKeys.open(path, admissionPorts())
  writeFileSync(path, `${first}\n`)
  await policy.file.reload()
  expect((await policy.admit(requestOf({ clientKey: second }))).admit).toBe(false)
})

test('a list replaced by a pipe without a writer does not block, and the old one stays in use (P-040)', async () => {
  const key = freshKey()
  writeFileSync(path, `${key}\n`)
  const ports = admissionPorts()
  const policy = await AllowedKeys.open(path, ports)
  rmSync(path)
  execFileSync('mkfifo', [path])
  for (let i = 0; i < 4; i++) await look(ports)
  expect(ports.lines.map(({ fields }) => fields['reason'])).toEqual([`read allow list ${path}: not a regular file`])
  expect((await policy.admit(requestOf({ clientKey: key }))).admit).toBe(true)
})

test('a redirected link and a replaced file count as changes; closing stops watching', async () => {
  const [a, b, c] = [freshKey(), freshKey(), freshKey()]
  for (const [name, key] of Object.entries({ a, b, c })) writeFileSync(join(directory, name), `${key}\n`)
  symlinkSync('a', path)
  const ports = admissionPorts()
  const policy = await AllowedKeys.open(path, ports)
  const isIn = async (clientKey: typeof a) => (await policy.admit(requestOf({ clientKey }))).admit
  symlinkSync('b', join(directory, 'new'))
  renameSync(join(directory, 'new'), path)
  await look(ports)
  expect([await isIn(a), await isIn(b)]).toEqual([false, true])
  renameSync(join(directory, 'c'), path)
  policy.file.close()
  ports.clock.advance(POLL_MS)
  expect([await isIn(b), await isIn(c)]).toEqual([true, false])
  expect(ports.clock.pendingTimers).toBe(0)
})
