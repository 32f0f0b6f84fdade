import { expect, test } from 'vitest'
import { upgradeSettings } from './upgrade-settings.ts'

const flags = (controlSocket: string, takeover: boolean) => ({
  'control-socket': controlSocket,
  takeover,
  'takeover-timeout': 60_000,
})

test('upgradeSettings needs the control socket, on Linux, of a length that a socket can have (P-177)', () => {
  expect(upgradeSettings(flags('', false))).toBeUndefined()
  const settings = { controlSocket: '/run/derper.sock', takeOver: true, readyMs: 60_000 }
  expect(upgradeSettings(flags('/run/derper.sock', true), 'linux')).toEqual(settings)
  expect(() => upgradeSettings(flags('', true))).toThrow('needs -control-socket')
  expect(() => upgradeSettings(flags('/run/derper.sock', false), 'darwin')).toThrow('only Linux')
  expect(() => upgradeSettings(flags(`/${'é'.repeat(54)}`, false), 'linux')).toThrow('longer than the 107 bytes')
})
