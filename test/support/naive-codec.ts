/**
 * The naive codec, with which the fast one is compared: whole streams, bodies as hex, no code shared with src.
 *
 * Numbers and bounds are repeated here, from docs/understand/protocol/framing.md.
 */

/** Length bounds by type, and the longest frame of other types that is skipped: -1 for none. */
export interface NaiveRules {
  readonly known: Readonly<Record<number, readonly [min: number, max: number]>>
  /** A type that is read at this length and otherwise skipped. */
  readonly only?: readonly [type: number, length: number]
  readonly skipUpTo: number
}

/** A frame as seen by its reader. */
export interface NaiveFrame {
  readonly type: number
  readonly length: number
  /** Header and body; empty for a skipped frame. */
  readonly bytes: Uint8Array
  readonly skipped: boolean
  /** Stream offset of the reader: after the frame, or after the header of a skipped one. */
  readonly readTo: number
}

const MIB = 1 << 20

/** Frames that each side reads, before and after the login. */
export const NAIVE_RULES = {
  serverLogin: { known: { 2: [56, 262_144] }, skipUpTo: -1 },
  server: {
    known: { 4: [32, 65_568], 7: [1, 1], 10: [64, 65_600], 16: [0, 0], 17: [32, 32], 18: [8, 1_000] },
    only: [0x13, 8],
    skipUpTo: 0xffffffff,
  },
  clientLogin: { known: { 1: [40, 1_024] }, skipUpTo: -1 },
  client: {
    known: Object.fromEntries([3, 5, 6, 8, 9, 0x12, 0x13, 0x14, 0x15].map(type => [type, [0, MIB] as const])),
    skipUpTo: MIB,
  },
} as const satisfies Record<string, NaiveRules>

/** All frames of a stream, up to its end or a refused frame. */
export function naiveFrames(stream: Uint8Array, rules: NaiveRules): { frames: NaiveFrame[]; refused: boolean } {
  const frames: NaiveFrame[] = []
  let at = 0
  while (at + 5 <= stream.length) {
    const type = stream[at] as number
    const length = Number.parseInt(hexOf(stream.slice(at + 1, at + 5)), 16)
    const isOnly = rules.only?.[0] === type && rules.only[1] === length
    const bounds = isOnly ? ([length, length] as const) : rules.known[type]
    const [min, max] = bounds ?? [0, rules.skipUpTo]
    if (length < min || length > max) return { frames, refused: true }
    const end = at + 5 + length
    if (bounds === undefined) frames.push({ type, length, bytes: new Uint8Array(0), skipped: true, readTo: at + 5 })
    else if (end > stream.length) break
    else frames.push({ type, length, bytes: stream.slice(at, end), skipped: false, readTo: end })
    at = end
  }
  return { frames, refused: false }
}

/** A message with keys and bytes as hex. */
export type NaiveMessage = Readonly<Record<string, string | number | boolean>>

const u32 = (number: unknown) => Number(number).toString(16).padStart(8, '0')
const u8 = (number: unknown) => Number(number).toString(16).padStart(2, '0')
const frame = (type: number, body: string) => u8(type) + u32(body.length / 2) + body

/** The frame of a message, as hex. */
export function naiveEncode(m: NaiveMessage): string {
  switch (String(m['type'])) {
    case 'serverKey':
      return frame(0x01, `44455250f09f9491${m['serverKey']}`)
    case 'clientInfo':
      return frame(0x02, `${m['clientKey']}${m['sealedInfo']}`)
    case 'sealedServerInfo':
      return frame(0x03, `${m['sealedInfo']}`)
    case 'sendPacket':
      return frame(0x04, `${m['destination']}${m['data']}`)
    case 'receivedPacket':
      return frame(0x05, `${m['source']}${m['data']}`)
    case 'keepAlive':
      return frame(0x06, '')
    case 'notePreferred':
      return frame(0x07, m['preferred'] === true ? '01' : '00')
    case 'peerGone':
      return frame(0x08, `${m['peer']}${u8(m['reason'])}`)
    case 'peerPresent':
      return frame(0x09, `${m['peer']}${m['address']}${u8(m['flags'])}`)
    case 'forwardPacket':
      return frame(0x0a, `${m['source']}${m['destination']}${m['data']}`)
    case 'watchConns':
      return frame(0x10, '')
    case 'closePeer':
      return frame(0x11, `${m['peer']}`)
    case 'ping':
      return frame(0x12, `${m['payload']}`)
    case 'pong':
      return frame(0x13, `${m['payload']}`)
    case 'health':
      return frame(0x14, Buffer.from(`${m['problem']}`, 'utf8').toString('hex'))
    case 'serverRestarting':
      return frame(0x15, u32(m['reconnectInMs']) + u32(m['tryForMs']))
    default:
      throw new Error(`encode ${m['type']}: unknown`)
  }
}

/** The message of a frame's body in hex; undefined if too short or not of this direction. */
export function naiveDecode(direction: 'toServer' | 'toClient', type: number, body: string): NaiveMessage | undefined {
  const cut = (from: number, to?: number) => body.slice(from * 2, to === undefined ? undefined : to * 2)
  const number = (from: number, to: number) => Number.parseInt(cut(from, to), 16)
  const rules: Record<string, [fewest: number, read: () => NaiveMessage]> = {
    'toServer 2': [32, () => ({ type: 'clientInfo', clientKey: cut(0, 32), sealedInfo: cut(32) })],
    'toServer 4': [32, () => ({ type: 'sendPacket', destination: cut(0, 32), data: cut(32) })],
    'toServer 7': [1, () => ({ type: 'notePreferred', preferred: cut(0, 1) !== '00' })],
    'toServer 10': [64, () => ({ type: 'forwardPacket', source: cut(0, 32), destination: cut(32, 64), data: cut(64) })],
    'toServer 16': [0, () => ({ type: 'watchConns' })],
    'toServer 17': [32, () => ({ type: 'closePeer', peer: cut(0, 32) })],
    'toServer 18': [8, () => ({ type: 'ping', payload: cut(0, 8) })],
    'toServer 19': [8, () => ({ type: 'pong', payload: cut(0, 8) })],
    'toClient 3': [0, () => ({ type: 'sealedServerInfo', sealedInfo: body })],
    'toClient 5': [32, () => ({ type: 'receivedPacket', source: cut(0, 32), data: cut(32) })],
    'toClient 6': [0, () => ({ type: 'keepAlive' })],
    'toClient 8': [32, () => ({ type: 'peerGone', peer: cut(0, 32), reason: number(32, 33) || 0 })],
    'toClient 9': [
      32,
      () => ({ type: 'peerPresent', peer: cut(0, 32), address: addressIn(cut(32, 50)), flags: number(50, 51) || 0 }),
    ],
    'toClient 18': [8, () => ({ type: 'ping', payload: cut(0, 8) })],
    'toClient 19': [8, () => ({ type: 'pong', payload: cut(0, 8) })],
    'toClient 20': [0, () => ({ type: 'health', problem: Buffer.from(body, 'hex').toString('utf8') })],
    'toClient 21': [8, () => ({ type: 'serverRestarting', reconnectInMs: number(0, 4), tryForMs: number(4, 8) })],
  }
  if (direction === 'toClient' && type === 1) {
    const isKey = body.startsWith('44455250f09f9491') && body.length >= 80
    return isKey ? { type: 'serverKey', serverKey: cut(8, 40) } : undefined
  }
  const [fewest, read] = rules[`${direction} ${type}`] ?? [Number.POSITIVE_INFINITY, undefined]
  return body.length / 2 >= fewest ? read?.() : undefined
}

const addressIn = (bytes: string) => (bytes.length === 36 ? bytes : '')
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
