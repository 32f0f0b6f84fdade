/** The example's DERP maps: as `derp map make` prints them for a running relay, by the commands of the README. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createStunServer } from '../../src/stun/server.ts'
import { Example } from '../support/example.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { TestCa } from '../support/test-ca.ts'

const FILES = ['policy.hujson', 'derp.yaml'] as const

/** Shows the loopback relay as relay.example on default ports, with a certificate that everybody trusts. */
function asPublic(text: string, ports: readonly number[]): string {
  const lines = text.split('\n').filter(line => !ports.some(port => new RegExp(`port"?: ${port},?$`, 'i').test(line)))
  return lines
    .join('\n')
    .replaceAll('localhost', 'relay.example')
    .replaceAll(/,(?=\n *\})/g, '')
}

test('the maps are those that derp map make prints, without a problem, and the same', async () => {
  const ca = await TestCa.create()
  const certificate = await ca.issue({ dns: ['localhost'] })
  await using relay = await ListeningRelay.start({ tls: { hostname: 'localhost', certificate } })
  const stun = createStunServer({ port: 0, host: '127.0.0.1' })
  const { port: stunPort } = await stun.listen()
  await using example = new Example('maps')
  try {
    const env = { SSL_CERT_FILE: join(example.folder, 'ca.pem') }
    writeFileSync(env.SSL_CERT_FILE, ca.certificate)
    const said: string[] = []
    for (const _ of ['lint', 'lint', 'diff']) {
      const program = await example.step()
      said.push(`${await program.exit()} ${program.stdout}${program.stderr}`)
    }
    expect(said).toEqual([
      '0 policy.hujson: policy file, 0 errors, 0 warnings\n',
      '0 derp.yaml: YAML, 0 errors, 0 warnings\n',
      '0 no differences\n',
    ])
    for (const file of FILES) {
      const target = `--stun-port ${stunPort} localhost:${relay.port}`
      const made = await example.step({ values: { 'relay.example': target }, env })
      expect(await made.exit(), made.stderr).toBe(0)
      const shown = asPublic(made.stdout, [relay.port, stunPort])
      // To write the files anew: npx vitest run --project cli test/cli/examples-maps.test.ts -u
      await expect(shown).toMatchFileSnapshot(join(import.meta.dirname, '../../examples/maps', file))
      expect(readFileSync(join(example.folder, file), 'utf8')).toBe(shown)
    }
    expect(example.left).toEqual([])
  } finally {
    await stun.close()
  }
})
