/**
 * Reads server name and protocols from the first bytes of a TLS connection (RFC 8446 section 4.1.2). Pure.
 *
 * Only what an authority's validation needs is looked at; whatever is odd is left to the TLS library.
 */

/** What a client asks for. */
export interface ClientHello {
  readonly serverName: string | undefined
  readonly protocols: readonly string[]
}

const RECORD_HEADER_BYTES = 5
const RECORD_HANDSHAKE = 22
const CLIENT_HELLO = 1
const LENGTH_BYTES = 3
/** Version and random. */
const FIXED_BYTES = 2 + 32
const EXTENSION_SERVER_NAME = 0
const EXTENSION_PROTOCOLS = 16
const NAME_TYPE_HOST = 0

/** Undefined while more bytes are needed. An empty hello stands for anything that is none. */
export function readClientHello(bytes: Buffer): ClientHello | undefined {
  const record = firstRecord(bytes)
  if (record === undefined) return undefined
  try {
    return readMessage(new Reader(record))
  } catch (error) {
    if (error instanceof RangeError) return NO_HELLO
    throw error
  }
}

const NO_HELLO: ClientHello = { serverName: undefined, protocols: [] }

/** The content of the first record: clients send their hello in one. Empty for other bytes. */
function firstRecord(bytes: Buffer): Buffer | undefined {
  if (bytes.length > 0 && bytes[0] !== RECORD_HANDSHAKE) return Buffer.alloc(0)
  if (bytes.length < RECORD_HEADER_BYTES) return undefined
  const end = RECORD_HEADER_BYTES + bytes.readUInt16BE(3)
  return bytes.length < end ? undefined : bytes.subarray(RECORD_HEADER_BYTES, end)
}

/** @throws RangeError for a message that ends too early. */
function readMessage(message: Reader): ClientHello {
  if (message.number(1) !== CLIENT_HELLO) return NO_HELLO
  message.skip(LENGTH_BYTES + FIXED_BYTES)
  message.vector(1)
  message.vector(2)
  message.vector(1)
  const extensions = message.vector(2)
  let serverName: string | undefined
  let protocols: readonly string[] = []
  while (extensions.left > 0) {
    const type = extensions.number(2)
    const content = extensions.vector(2)
    if (type === EXTENSION_SERVER_NAME) serverName = readServerName(content)
    if (type === EXTENSION_PROTOCOLS) protocols = readProtocols(content)
  }
  return { serverName, protocols }
}

function readServerName(content: Reader): string | undefined {
  const names = content.vector(2)
  while (names.left > 0) {
    const type = names.number(1)
    const name = names.vector(2)
    if (type === NAME_TYPE_HOST) return name.text()
  }
  return undefined
}

function readProtocols(content: Reader): readonly string[] {
  const names = content.vector(2)
  const protocols: string[] = []
  while (names.left > 0) protocols.push(names.vector(1).text())
  return protocols
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  number(bytes: number): number {
    const value = this.#bytes.readUIntBE(this.#at, bytes)
    this.#at += bytes
    return value
  }

  skip(bytes: number): void {
    if (bytes > this.left) throw new RangeError('read ClientHello: it ends too early')
    this.#at += bytes
  }

  /** A part that is preceded by its length, in `lengthBytes` bytes. */
  vector(lengthBytes: number): Reader {
    const length = this.number(lengthBytes)
    const start = this.#at
    this.skip(length)
    return new Reader(this.#bytes.subarray(start, this.#at))
  }

  text(): string {
    return this.#bytes.toString('latin1')
  }
}
