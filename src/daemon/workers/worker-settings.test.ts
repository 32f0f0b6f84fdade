import { expect, test } from 'vitest'
import { DERPER_FLAGS } from '../../cli/derper/derper-flags.ts'
import { readSettings } from '../../cli/derper/derper-settings.ts'
import { parseFlags } from '../../cli/go-flags.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import { relayOptions } from '../relay-options.ts'
import { workerKeys, workerSettings } from './worker-settings.ts'

const MESH_KEY = '0123456789abcdef'.repeat(4)
const ENV = { TS_ALLOW_DEBUG_IP: '192.0.2.1', TAILSCALE_DERPER_MESH_KEY: MESH_KEY }

function settingsOf(...args: string[]) {
  const flags = parseFlags(DERPER_FLAGS, args)
  if (flags.help) throw new Error('no help was asked for')
  return readSettings(flags.values, flags.given, ENV)
}

test('workerSettings come through to another thread with all that the relay is made with', () => {
  const serving = ['-dev', '-a', '127.0.0.1:0', '-tls', '-hostname', 'relay.test', '-certdir', '/nowhere']
  const limits = [
    '-trusted-proxies',
    '192.0.2.7',
    '-proxy-protocol',
    '-accept-connection-limit',
    '5',
    '-max-clients',
    '9',
  ]
  const others = ['-home', 'blank', '-ping-clients', '5s', '-health-frames']
  const settings = settingsOf(...serving, ...limits, ...others)
  const privateKey = NodePrivateKey.generate()
  const sent = structuredClone(workerSettings(settings, privateKey, { ...process.env, ...ENV }))
  const keys = workerKeys(sent)
  expect([keys.privateKey.equals(privateKey), keys.meshKey?.exportText()]).toEqual([true, MESH_KEY])
  const here = relayOptions(settings, { privateKey, meshKey: settings.meshKey }, ENV)
  expect({ ...relayOptions(sent.plain, keys, sent.env), ...keys }).toEqual({ ...here, ...keys })
  expect(here).toMatchObject({
    home: 'blank',
    maxClients: 9,
    debug: { tlsHostname: 'relay.test', hintsAtAccess: true },
  })
  expect(here.debug).toMatchObject({ access: { allowAddress: '192.0.2.1' } })
  expect(sent.plain.address).toEqual(settings.address)
  expect([sent.plain.limits, sent.plain.proxies]).toEqual([settings.limits, settings.proxies])
  expect(Object.keys(sent.env)).not.toContain('TAILSCALE_DERPER_MESH_KEY')
})

test('workerSettings have no mesh key where there is none', () => {
  const settings = { ...settingsOf('-dev'), meshKey: undefined }
  const sent = structuredClone(workerSettings(settings, NodePrivateKey.generate(), {}))
  expect(workerKeys(sent).meshKey).toBeUndefined()
  expect(sent.plain.tls).toBeUndefined()
})
