/** Sends a file to another `derp cat`, which compares the hash. */

import { createHash } from 'node:crypto'
import { type FileHandle, open, stat } from 'node:fs/promises'
import type { NodePublicKey } from '../../../keys/public-key.ts'
import { systemClock } from '../../../lib/clock.ts'
import type { CommandIo } from '../../command-io.ts'
import { unusable } from '../relay/relay-address.ts'
import { encodeTransfer } from './transfer-messages.ts'
import { TransferProgress } from './transfer-progress.ts'
import { CHUNK_BYTES, type PacketPort, WindowedSender } from './windowed-sender.ts'

/** @throws DerpError for anything but a regular file. */
export async function assertSendable(path: string): Promise<void> {
  const found = await stat(path).catch((error: Error) => {
    throw unusable(`use --file ${path}: ${error.message}`)
  })
  if (!found.isFile()) throw unusable(`use --file ${path}: not a regular file`)
}

/** @throws DerpError when the file cannot be read, and when the peer is gone, silent, or received something else. */
export async function sendFile(
  client: PacketPort,
  peer: NodePublicKey,
  path: string,
  io: Pick<CommandIo, 'err' | 'columns'>,
): Promise<void> {
  const handle = await open(path, 'r').catch((error: Error) => {
    throw unusable(`use --file ${path}: ${error.message}`)
  })
  const { size: bytes } = await handle.stat()
  const isTerminal = io.columns !== undefined
  const progress = new TransferProgress({
    verb: 'sent',
    totalBytes: bytes,
    clock: systemClock,
    isTerminal,
    write: io.err,
  })
  const sender = new WindowedSender(client, peer)
  const hash = createHash('sha256')
  try {
    await sender.send(encodeTransfer({ kind: 'offer', bytes }))
    let sent = 0
    for await (const chunk of chunksOf(handle, bytes)) {
      hash.update(chunk)
      await sender.send(chunk)
      sent += chunk.length
      progress.at(sent)
    }
    if (sent < bytes) throw unusable(`use --file ${path}: it has become shorter while it was sent`)
    const sha256 = hash.digest('hex')
    await sender.end(sha256)
    progress.done(`the receiver has the same SHA-256 ${sha256}`)
  } catch (error) {
    progress.clear()
    throw error
  } finally {
    await handle.close()
  }
}

/** The first `bytes` of the file, fewer if it has become shorter. Each chunk is valid until the next one is read. */
async function* chunksOf(handle: FileHandle, bytes: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(CHUNK_BYTES)
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(CHUNK_BYTES, bytes - at), at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
