/**
 * What two tabs send each other, before it is sealed: role, number, type and content of each message. Pure.
 *
 * The role of the sender keeps the relay from sending a message back to its sender, the number from repeating one.
 */

/** Who made the link, and who followed it. */
export type Role = 'host' | 'guest'

export type PairMessage =
  /** The first message, from the guest: proves that it has the link. */
  | { readonly type: 'hello'; readonly secret: Uint8Array }
  | { readonly type: 'welcome' }
  | { readonly type: 'chat'; readonly text: string }
  /** A file follows in parts. */
  | { readonly type: 'offer'; readonly id: number; readonly size: number; readonly name: string }
  | { readonly type: 'part'; readonly id: number; readonly at: number; readonly data: Uint8Array }
  /** Bytes of the file that have come without a gap. */
  | { readonly type: 'got'; readonly id: number; readonly bytes: number }
  /** SHA-256 of the whole as its sender has it, empty where the browser cannot hash. */
  | { readonly type: 'hash'; readonly id: number; readonly hash: Uint8Array }
  | { readonly type: 'ping' | 'pong'; readonly atMs: number }

const TYPES = ['hello', 'welcome', 'chat', 'offer', 'part', 'got', 'hash', 'ping', 'pong'] as const
/** Role, number and type. */
const HEADER_BYTES = 6
/** A file's number, or a number alone. */
const NUMBER_BYTES = 8
const utf8 = new TextEncoder()
const text = new TextDecoder()

export function encodeMessage(role: Role, number: number, message: PairMessage): Uint8Array {
  const content = contentOf(message)
  const bytes = new Uint8Array(HEADER_BYTES + content.length)
  bytes[0] = role === 'host' ? 0 : 1
  viewOf(bytes).setUint32(1, number)
  bytes[5] = TYPES.indexOf(message.type)
  bytes.set(content, HEADER_BYTES)
  return bytes
}

/** Undefined for bytes that are not a message. */
export function decodeMessage(
  bytes: Uint8Array,
): { readonly role: Role; readonly number: number; readonly message: PairMessage } | undefined {
  const type = TYPES[bytes[5] ?? TYPES.length]
  if (bytes.length < HEADER_BYTES || type === undefined) return undefined
  const message = messageOf(type, bytes.subarray(HEADER_BYTES))
  return message && { role: bytes[0] === 0 ? 'host' : 'guest', number: viewOf(bytes).getUint32(1), message }
}

function contentOf(message: PairMessage): Uint8Array {
  switch (message.type) {
    case 'hello':
      return message.secret
    case 'welcome':
      return new Uint8Array(0)
    case 'chat':
      return utf8.encode(message.text)
    case 'offer':
      return joined(message.id, message.size, utf8.encode(message.name))
    case 'part':
      return joined(message.id, message.at, message.data)
    case 'got':
      return joined(message.id, message.bytes)
    case 'hash':
      return joined(message.id, 0, message.hash)
    case 'ping':
    case 'pong':
      return joined(0, message.atMs)
  }
}

function messageOf(type: PairMessage['type'], content: Uint8Array): PairMessage | undefined {
  if (type === 'hello') return { type, secret: content }
  if (type === 'welcome') return { type }
  if (type === 'chat') return { type, text: text.decode(content) }
  if (content.length < 2 * NUMBER_BYTES) return undefined
  const [id, number] = [viewOf(content).getFloat64(0), viewOf(content).getFloat64(NUMBER_BYTES)]
  const rest = content.subarray(2 * NUMBER_BYTES)
  if (type === 'offer') return { type, id, size: number, name: text.decode(rest) }
  if (type === 'part') return { type, id, at: number, data: rest }
  if (type === 'got') return { type, id, bytes: number }
  if (type === 'hash') return { type, id, hash: rest }
  return { type, atMs: number }
}

function joined(first: number, second: number, rest: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(2 * NUMBER_BYTES + rest.length)
  viewOf(bytes).setFloat64(0, first)
  viewOf(bytes).setFloat64(NUMBER_BYTES, second)
  bytes.set(rest, 2 * NUMBER_BYTES)
  return bytes
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
