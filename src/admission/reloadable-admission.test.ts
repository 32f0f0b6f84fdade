import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { admissionPorts, requestOf } from '../../test/support/admission.ts'
import { ReloadableAdmission } from './reloadable-admission.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'admission-switch-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const NOBODY_TOLD = { onKey: () => {}, onToken: () => {} }

/** An admission URL that approves when the test says so. */
async function slowUrl() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const asked = once(server, 'request') as Promise<[unknown, ServerResponse]>
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    sayYes: async () => {
      const [, response] = await asked
      response.setHeader('Connection', 'close').end('{"Allow":true}')
    },
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

test('ReloadableAdmission admits no one by rules replaced during a request to a backend (P-040)', async () => {
  await using source = await slowUrl()
  const rules = await ReloadableAdmission.create({ url: source.url }, admissionPorts(), NOBODY_TOLD)
  const verdict = rules.admit(requestOf({ info: { ...requestOf().info, appName: 'old' } }))
  await source.asked
  await rules.replace({ deniedAppNames: ['old'] })
  await source.sayYes()
  expect(await verdict).toMatchObject({ admit: false, cause: 'app_name_denied' })
  rules.close()
})

test('ReloadableAdmission admits no key denied during a request to a backend (P-040)', async () => {
  await using source = await slowUrl()
  const denyKeysFile = join(directory, 'deny')
  writeFileSync(denyKeysFile, '')
  const rules = await ReloadableAdmission.create({ url: source.url, denyKeysFile }, admissionPorts(), NOBODY_TOLD)
  const request = requestOf()
  const verdict = rules.admit(request)
  await source.asked
  writeFileSync(denyKeysFile, `${request.clientKey}\n`)
  await rules.reload()
  await source.sayYes()
  expect(await verdict).toMatchObject({ admit: false, cause: 'key_denied' })
  rules.close()
})

test('ReloadableAdmission reports removed tokens, not added ones (P-040)', async () => {
  const tokensFile = join(directory, 'tokens')
  const [one, other] = ['one token-0123456789', 'other token-9876543210']
  writeFileSync(tokensFile, `${one}\n`)
  let lost = 0
  const rules = await ReloadableAdmission.create({ tokensFile }, admissionPorts(), {
    ...NOBODY_TOLD,
    onToken: () => lost++,
  })
  const write = async (...lines: string[]) => {
    writeFileSync(tokensFile, lines.join('\n'))
    await rules.reload()
    return lost
  }
  expect([await write(one, other), await write(other), await write()]).toEqual([0, 1, 2])
  rules.close()
})
