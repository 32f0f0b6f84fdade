/** Random messages, and their plain form for comparison with the naive codec. */

import { NodePublicKey } from '../../src/keys/node-key.ts'
import { addressFrom16 } from '../../src/lib/address-port.ts'
import type { ClientToServer, ServerToClient } from '../../src/protocol/messages.ts'
import { anyCharacter } from './arbitrary-text.ts'
import { fc } from './fast-check.ts'
import type { NaiveMessage } from './naive-codec.ts'

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const key = bytesOf(32).map(bytes => NodePublicKey.fromBytes(bytes))
const data = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc.constantFrom(1_400, 65_536).map(n => new Uint8Array(n).fill(n)),
)
const ping = bytesOf(8)
const uint32 = fc.integer({ min: 0, max: 0xffffffff })
const byte = fc.integer({ min: 0, max: 255 })
const text = fc.string({ unit: anyCharacter, maxLength: 20 })

const address = fc.record({
  address: fc.oneof(
    bytesOf(4).map(bytes => bytes.join('.')),
    bytesOf(16).map(bytes => addressFrom16(bytes)),
    fc.constantFrom('::', '::1', '2001:db8::1', 'fe80::1', '0.0.0.0'),
  ),
  port: fc.integer({ min: 0, max: 65_535 }),
})

/** Any message of a client. */
export const clientMessage: fc.Arbitrary<ClientToServer> = fc.oneof(
  fc.record({ type: fc.constant('clientInfo' as const), clientKey: key, sealedInfo: data }),
  fc.record({ type: fc.constant('sendPacket' as const), destination: key, data }),
  fc.record({ type: fc.constant('forwardPacket' as const), source: key, destination: key, data }),
  fc.record({ type: fc.constant('notePreferred' as const), preferred: fc.boolean() }),
  fc.record({ type: fc.constant('watchConns' as const) }),
  fc.record({ type: fc.constant('closePeer' as const), peer: key }),
  fc.record({ type: fc.constantFrom('ping' as const, 'pong' as const), payload: ping }),
)

/** Any message of a relay. */
export const serverMessage: fc.Arbitrary<ServerToClient> = fc.oneof(
  fc.record({ type: fc.constant('serverKey' as const), serverKey: key }),
  fc.record({ type: fc.constant('sealedServerInfo' as const), sealedInfo: data }),
  fc.record({ type: fc.constant('receivedPacket' as const), source: key, data }),
  fc.record({ type: fc.constant('peerGone' as const), peer: key, reason: byte }),
  fc.record({ type: fc.constant('peerPresent' as const), peer: key, address, flags: byte }),
  fc.record({ type: fc.constant('keepAlive' as const) }),
  fc.record({ type: fc.constantFrom('ping' as const, 'pong' as const), payload: ping }),
  fc.record({ type: fc.constant('health' as const), problem: text }),
  fc.record({ type: fc.constant('serverRestarting' as const), reconnectInMs: uint32, tryForMs: uint32 }),
)

/** A message with keys, addresses and bytes as hex. */
export function plain(message: ClientToServer | ServerToClient): NaiveMessage {
  return Object.fromEntries(Object.entries(message).map(([name, value]) => [name, plainValue(value)]))
}

function plainValue(value: unknown): string | number | boolean {
  if (value instanceof NodePublicKey) return value.toHex()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (value === undefined) return ''
  if (typeof value === 'object' && value !== null && 'address' in value && 'port' in value) {
    return plainAddress(String(value.address)) + Number(value.port).toString(16).padStart(4, '0')
  }
  return value as string | number | boolean
}

/** The 16 bytes of an address as hex. */
function plainAddress(address: string): string {
  if (!address.includes(':'))
    return `${'0'.repeat(20)}ffff${Buffer.from(address.split('.').map(Number)).toString('hex')}`
  const groups = (part = '') =>
    part
      .split(':')
      .filter(group => group !== '')
      .map(group => group.padStart(4, '0'))
  const [head, tail] = address.split('::').map(part => groups(part))
  const given = (head?.length ?? 0) + (tail?.length ?? 0)
  return [...(head ?? []), ...Array.from({ length: 8 - given }, () => '0000'), ...(tail ?? [])].join('')
}
