import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { admissionPorts, requestOf } from '../../test/support/admission.ts'
import { untilPolled } from '../../test/support/watching.ts'
import { parseTokenList, Tokens } from './tokens.ts'

const PROBER = 'prober-token-0123456789'
const PHONE = 'phone-token-0123456789=='
const HASHED = createHash('sha256').update(PHONE).digest('hex')

test('Tokens admits clients with a token from its file, in plain or as a hash, and names its owner (P-040)', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tokens-'))
  const path = join(directory, 'tokens')
  try {
    writeFileSync(path, `# ours\nprober ${PROBER}\nphone@home\tsha256:${HASHED} # rotated in May\n`)
    const policy = await Tokens.open(path, admissionPorts())
    expect(await policy.admit(requestOf({ token: PROBER }))).toEqual({ admit: true, by: 'token prober' })
    expect(await policy.admit(requestOf({ token: PHONE }))).toEqual({ admit: true, by: 'token phone@home' })
    for (const token of [`${PROBER}x`, PROBER.slice(1), '', `sha256:${HASHED}`, HASHED]) {
      expect(await policy.admit(requestOf({ token }))).toMatchObject({ admit: false, cause: 'token_unknown' })
    }
    expect(await policy.admit(requestOf())).toMatchObject({ admit: false, cause: 'token_missing' })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('Tokens keeps its tokens while their file is being rewritten in place, and drops them once it has settled (P-040)', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tokens-'))
  const path = join(directory, 'tokens')
  const ports = admissionPorts()
  let revoked = 0
  writeFileSync(path, `prober ${PROBER}\nphone ${PHONE}\n`)
  const policy = await Tokens.open(path, ports, () => revoked++)
  const look = async (ms: number) => {
    ports.clock.advance(ms)
    await untilPolled(ports.clock)
  }
  const isIn = async (token: string) => (await policy.admit(requestOf({ token }))).admit
  writeFileSync(path, `prober ${PROBER}\n`)
  await look(2_000)
  await look(4_999)
  expect([await isIn(PROBER), await isIn(PHONE), revoked]).toEqual([true, true, 0])
  await look(1)
  expect([await isIn(PROBER), await isIn(PHONE), revoked]).toEqual([true, false, 1])
  policy.file.close()
  rmSync(directory, { recursive: true })
})

test.each([
  ['prober', 'line 2: expected a name, a space and a token'],
  ['prober a b', 'line 2: expected a name, a space and a token'],
  ['prober short-secret', 'line 2: token has 12 characters, needs 16 or more'],
  ['prober secret,secret,secret', 'line 2: token has a character not allowed in the header'],
  [`prober sha256:${HASHED.slice(1)}`, 'line 2: token has a character not allowed in the header'],
])('parseTokenList refuses "%s" without showing it', (line, message) => {
  expect(() => parseTokenList(`\n${line}\n`)).toThrow(new Error(message))
})
