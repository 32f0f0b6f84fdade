/** Receives one file into the current folder, from whoever has been told the key. */

import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { ErrClientClosed, isDerpError, type NodePublicKey } from 'derphttp'
import { type FileInfo, type Link, PART_BYTES, REFUSED, withLink } from './link.ts'

const DAY_MS = 86_400_000
/** Silence of the sender after which it counts as gone. */
const PATIENCE_MS = 30_000
/** Silence after which it has surely got our last answer. */
const LINGER_MS = 2_000

interface Offer {
  readonly sender: NodePublicKey
  readonly info: FileInfo
}

async function waitForOffer(link: Link): Promise<Offer> {
  for (;;) {
    const packet = await link.next(DAY_MS)
    if (packet?.number === 0) return { sender: packet.from, info: JSON.parse(new TextDecoder().decode(packet.data)) }
  }
}

/** Resolves once the file is complete and has the hash that was announced. */
async function receiveParts(link: Link, { sender, info }: Offer, write: (data: Uint8Array) => Promise<void>) {
  const count = 1 + Math.ceil(info.size / PART_BYTES)
  const hash = createHash('sha256')
  for (let expected = 1; expected < count; ) {
    await link.send(sender, expected)
    const packet = await link.next(PATIENCE_MS)
    if (packet === undefined) throw new Error('the sender has gone')
    // What came before, or has a gap before it, is answered with the same number again.
    if (!packet.from.equals(sender) || packet.number !== expected) continue
    await write(packet.data)
    hash.update(packet.data)
    expected++
  }
  if (hash.digest('hex') !== info.sha256) throw new Error('it has another hash than the one announced')
  // A lost last answer is repeated while the sender asks for it.
  do await link.send(sender, count)
  while ((await link.next(LINGER_MS)) !== undefined)
}

async function receiveFile(link: Link): Promise<void> {
  console.log(`key: ${await link.connect()}`)
  const offer = await waitForOffer(link)
  // A name with a path in it would be written elsewhere.
  const name = basename(String(offer.info.name))
  try {
    // Never one that exists.
    const file = await open(name, 'wx')
    try {
      await receiveParts(link, offer, data => file.appendFile(data))
    } catch (error) {
      await rm(name)
      throw error
    } finally {
      await file.close()
    }
    console.log(`${name}: ${offer.info.size} bytes, sha256 ${offer.info.sha256}`)
  } catch (error) {
    if (isDerpError(error, ErrClientClosed)) throw error
    await link.send(offer.sender, REFUSED)
    throw new Error(`receive ${name}: ${(error as Error).message}`, { cause: error })
  }
}

const [relay] = process.argv.slice(2)
if (relay === undefined) {
  console.error('usage: node receive.ts RELAY')
  process.exitCode = 2
} else {
  await withLink(relay, receiveFile)
}
