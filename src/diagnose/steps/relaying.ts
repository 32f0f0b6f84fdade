/** Whether packets are relayed and pings answered. */

import type { DerpClient } from '../../client/derp-client.ts'
import type { NodePublicKey } from '../../keys/public-key.ts'
import { equalBytes } from '../../lib/bytes.ts'
import { PING_LENGTH } from '../../protocol/constants.ts'
import { type Examination, type Step, StepTimeoutError, withinLimit } from '../step.ts'
import { blocked, type Fault, failed, messageOf, passed } from '../verdict.ts'

const SMALL_BYTES = 32
/** More than one TCP segment and TLS record. */
const LARGE_BYTES = 32 << 10

export const packet: Step = {
  id: 'packet',
  title: 'Packet round trip',
  layer: 'relaying',
  after: ['login'],
  silence: 'packet-lost',
  async run(examination, signal) {
    const { client } = examination.findings
    if (client === undefined) return blocked('not logged in')
    // Each packet gets half of the time.
    const limitMs = examination.options.timeoutMs / 2
    const small = await thereAndBack(examination, SMALL_BYTES, signal, limitMs)
    if (typeof small !== 'number') return small
    const large = await thereAndBack(examination, LARGE_BYTES, signal, limitMs)
    if (typeof large === 'number')
      return passed(`${SMALL_BYTES} bytes in ${formatMs(small)}, ${LARGE_BYTES} in ${formatMs(large)}`)
    if (large.cause.id !== 'packet-lost') return large
    return failed('large-packet-lost', `${SMALL_BYTES} bytes return, ${LARGE_BYTES} do not`)
  },
}

/** Sends a packet to our own key; returns the round-trip time in milliseconds. */
async function thereAndBack(
  examination: Examination,
  length: number,
  signal: AbortSignal,
  limitMs: number,
): Promise<number | Fault> {
  const { platform, findings } = examination
  const { client, selfKey } = findings
  if (client === undefined || selfKey === undefined) return failed('connection-lost', 'not logged in')
  const data = crypto.getRandomValues(new Uint8Array(length))
  const sentMs = platform.clock.now()
  try {
    const work = async (stop: AbortSignal) => {
      await client.send(selfKey, data, stop)
      return (await arrivalFault(client, selfKey, data, stop)) ?? platform.clock.now() - sentMs
    }
    return await withinLimit(examination, work, signal, limitMs)
  } catch (error) {
    if (signal.aborted) throw error
    if (error instanceof StepTimeoutError) return failed('packet-lost', `${length} bytes did not return`)
    return failed('connection-lost', messageOf(error))
  }
}

/** Waits for `data`; undefined once it has arrived. */
async function arrivalFault(
  client: DerpClient,
  self: NodePublicKey,
  data: Uint8Array,
  signal: AbortSignal,
): Promise<Fault | undefined> {
  for (;;) {
    const message = await client.recv(signal)
    if (message.type === 'peerGone' && message.peer.equals(self)) return failed('peer-unknown', self.shortString())
    if (message.type !== 'receivedPacket' || !message.source.equals(self)) continue
    if (equalBytes(message.data, data)) return undefined
    if (message.data.length === data.length) return failed('packet-changed', `${data.length} bytes`)
  }
}

export const ping: Step = {
  id: 'ping',
  title: 'Ping',
  layer: 'relaying',
  after: ['packet'],
  silence: 'ping-unanswered',
  async run({ findings, platform }, signal) {
    const { client } = findings
    if (client === undefined) return blocked('not logged in')
    const payload = crypto.getRandomValues(new Uint8Array(PING_LENGTH))
    const sentMs = platform.clock.now()
    try {
      await client.sendPing(payload)
      for (;;) {
        const message = await client.recv(signal)
        if (message.type === 'pong' && equalBytes(message.payload, payload)) break
      }
      return passed(formatMs(platform.clock.now() - sentMs))
    } catch (error) {
      if (signal.aborted) throw error
      return failed('connection-lost', messageOf(error))
    }
  },
}

function formatMs(ms: number): string {
  return `${ms.toFixed(1)} ms`
}
