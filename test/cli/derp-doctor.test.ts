/** `derp doctor` and its kin on relays as operators run them; on both runtimes, whose checks of certificates differ in words. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runtimePath } from '../../tools/runtime-path.ts'
import { commandPath } from '../support/commands.ts'
import { type Program, startProgram } from '../support/process.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { served } from '../support/served.ts'

describe.each(['node', 'bun'])('derp on %s, a relay with a certificate of its own making', runtime => {
  let folder: string
  let relay: Program
  let host: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'derp-doctor-'))
    const identity = ['-hostname', '127.0.0.1', '-certmode', 'manual', '-certdir', folder, '-c', join(folder, 'key')]
    const listen = ['-a', '127.0.0.1:0', '-http-port', '-1', '-stun=false']
    relay = await startProgram(RUNTIME_PATH, [commandPath('derper'), ...identity, ...listen])
    host = (await served(relay)).address
  })
  afterAll(async () => {
    await relay?.stop()
    rmSync(folder, { recursive: true })
  })

  const derp = async (...args: string[]) => {
    const program = await startProgram(runtimePath(runtime), [commandPath('derp'), ...args])
    return [await program.exit(), `${program.stdout}${program.stderr}`] as const
  }

  test('doctor says that it is self-signed, and to pin it', async () => {
    const [code, said] = await derp('doctor', host)
    expect(said).toMatch(
      /^Cause: the certificate is self-signed \(sha256-raw:[0-9a-f]{64}\)\.\nFix: pin it in the DERP map/m,
    )
    expect(code).toBe(12)
  })

  test('clients says to pin it', async () => {
    const [code, said] = await derp('clients', host)
    expect(said).toMatch(/certificate.* pin it .*\(CertName "sha256-raw:…", --pin, option pin\)/)
    expect(code).toBe(1)
  })
})
