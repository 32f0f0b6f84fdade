/** Sends a file to the peer that `receive.ts` shows the key of. */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { NodePublicKey } from 'derphttp'
import { type FileInfo, type Link, PART_BYTES, REFUSED, withLink } from './link.ts'

/** Most packets on the way. Relays keep 32 for a reader that is slower than we are, and drop what is more. */
const WINDOW = 16
/** Silence after which whatever has not been answered counts as lost. */
const RESEND_MS = 500
/** Such silences in a row after which the sender says so. */
const DOUBT = 6
/** And after which the receiver counts as gone. */
const PATIENCE = 60

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of createReadStream(path)) hash.update(bytes)
  return hash.digest('hex')
}

/** The data of a packet. @throws Error if the file has become shorter. */
async function packetData(file: FileHandle, info: FileInfo, number: number): Promise<Uint8Array> {
  if (number === 0) return new TextEncoder().encode(JSON.stringify(info))
  const position = (number - 1) * PART_BYTES
  const length = Math.min(PART_BYTES, info.size - position)
  const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, position)
  if (bytesRead < length) throw new Error(`read ${info.name}: it has changed while it was sent`)
  return buffer
}

async function sendFile(link: Link, receiver: NodePublicKey, path: string): Promise<void> {
  await using file = await open(path)
  const info: FileInfo = { name: basename(path), size: (await file.stat()).size, sha256: await hashOf(path) }
  const count = 1 + Math.ceil(info.size / PART_BYTES)
  await link.connect()
  const startMs = performance.now()
  let [answered, sent, window, silences, shownTenths] = [0, 0, WINDOW, 0, 0]
  while (answered < count) {
    for (; sent < Math.min(count, answered + window); sent++) {
      await link.send(receiver, sent, await packetData(file, info, sent))
    }
    const answer = await link.next(RESEND_MS)
    if (answer === undefined) {
      silences++
      if (silences === DOUBT) console.error('No answer yet: is receive.ts running, with this key and on this relay?')
      if (silences === PATIENCE) throw new Error(`send ${info.name}: the receiver does not answer`)
      // Lost, or waiting for a slow reader, whom more at once would not help.
      sent = answered
      window = 1
      continue
    }
    if (!answer.from.equals(receiver)) continue
    if (answer.number === REFUSED) throw new Error(`send ${info.name}: the receiver refuses it and says there why`)
    silences = 0
    if (answer.number > answered) window = Math.min(WINDOW, window + 1)
    answered = Math.max(answered, Math.min(answer.number, count))
    sent = Math.max(sent, answered)
    const tenths = Math.floor((answered / count) * 10)
    if (tenths > shownTenths) console.error(`${tenths}0 % of ${info.size} bytes`)
    shownTenths = tenths
  }
  const seconds = (performance.now() - startMs) / 1_000
  console.log(`${info.name}: ${info.size} bytes in ${seconds.toFixed(1)} s, sha256 ${info.sha256} on both sides`)
}

const [relay, key, path] = process.argv.slice(2)
if (relay === undefined || key === undefined || path === undefined) {
  console.error('usage: node send.ts RELAY KEY FILE')
  process.exitCode = 2
} else {
  await withLink(relay, async link => sendFile(link, NodePublicKey.parse(key), path))
}
