/** A file between two pages by a relay, which drops what it cannot queue: the sender waits for what it has not been told of. */

import { Client, NodePrivateKey, NodePublicKey, type ReceivedMessage } from '../../../src/entries/browser.ts'

const CHUNK_BYTES = 32_768
/** Packets on their way: half of what stock relays queue for a client. */
const WINDOW = 16
/** The first byte of a packet from the receiver that tells how many packets have come, in four bytes. */
const HEADER_BYTES = 5

/** What both ends tell of a transfer. */
export interface TransferResult {
  readonly bytes: number
  /** SHA-256 in hex. */
  readonly hash: string
}

/** Connects; `done` resolves when `bytes` have come. */
export async function receiveFile(
  url: string,
  bytes: number,
): Promise<{ readonly key: string; readonly done: Promise<TransferResult> }> {
  const client = new Client(await NodePrivateKey.generate(), url)
  await client.connect()
  let message = await client.recv()
  while (message.type !== 'serverInfo') message = await client.recv()
  return { key: String(client.selfPublicKey()), done: receiveAll(client, bytes) }
}

async function receiveAll(client: Client, bytes: number): Promise<TransferResult> {
  const file = new Uint8Array(bytes)
  let length = 0
  for (let packets = 1; length < bytes; ) {
    const message = await client.recv()
    if (message.type !== 'receivedPacket') continue
    file.set(message.data, length)
    length += message.data.length
    const told = new DataView(new ArrayBuffer(HEADER_BYTES))
    told.setUint32(1, packets++)
    await client.send(message.source, new Uint8Array(told.buffer))
  }
  await client.close()
  return { bytes: length, hash: await sha256(file) }
}

/** Sends random bytes to the client of `key`; resolves when all have come there. */
export async function sendFile(url: string, key: string, bytes: number): Promise<TransferResult> {
  const client = new Client(await NodePrivateKey.generate(), url)
  const file = randomBytes(bytes)
  const destination = NodePublicKey.parse(key)
  let sent = 0
  let arrived = 0
  for (let start = 0; start < bytes; start += CHUNK_BYTES) {
    if (sent - arrived >= WINDOW) arrived = arrivedIn(await nextPacket(client))
    await client.send(destination, file.subarray(start, start + CHUNK_BYTES))
    sent++
  }
  while (arrived < sent) arrived = arrivedIn(await nextPacket(client))
  await client.close()
  return { bytes, hash: await sha256(file) }
}

function arrivedIn(data: Uint8Array): number {
  return new DataView(data.buffer, data.byteOffset, HEADER_BYTES).getUint32(1)
}

async function nextPacket(client: Client): Promise<Uint8Array> {
  for (;;) {
    const message: ReceivedMessage = await client.recv()
    if (message.type === 'peerGone') throw new Error(`send file: ${message.peer} is gone`)
    if (message.type === 'receivedPacket') return message.data
  }
}

/** The platform gives 64 KiB at a time. */
function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('')
}
