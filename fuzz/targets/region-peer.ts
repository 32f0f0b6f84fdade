/** A relay of a region that receives arbitrary messages over the bus. */

import { encodeMessage } from '../../src/backplane/encode.ts'
import type { OutMessage } from '../../src/backplane/message.ts'
import { concatBytes } from '../../src/lib/bytes.ts'
import { clientKey, SimRegion } from '../../test/support/sim-region.ts'
import { type FuzzTarget, must } from '../engine/target.ts'
import { InputReader } from '../support/input-reader.ts'

/** Keys of the clients of the attacked relay, and of one that is elsewhere or nowhere. */
const [ASKER, PEER, AWAY] = [1, 2, 3]
const STRANGER = 'aa'.repeat(8)
/** Bytes of one message: more than any list in an input. */
const MAX_MESSAGE = 255
const WAITS_MS = [0, 1, 10, 600, 2_100, 6_000]
/** Messages that the relay may send because of one that it gets. */
const MAX_ANSWERS = 8
/** Time in which a silent relay is found dead, and searches end. */
const REST_MS = 20_000

export const target: FuzzTarget = {
  about:
    'Messages of any bytes from a relay of the region, from a stranger and from itself, with time in between: no error; local clients reach each other unless a member has them closed; answers are bounded; once the others are silent, they are no members, and no route of theirs is left.',
  seeds: seeds(),
  words: [1, 2, 3].map(n => clientKey(n).bytes),
  maxBytes: 2_048,
  run: input => {
    const region = new SimRegion(2)
    const relay = region.relay(0)
    const [asker] = [region.login(ASKER, 0), region.login(PEER, 0)]
    const others = [region.relay(1).id, STRANGER, relay.id]
    region.takeMessages()
    const reader = new InputReader(input)
    let steps = 0
    for (; reader.left > 0; steps++) {
      const flags = reader.byte()
      const from = others[flags & 3] ?? others[0] ?? STRANGER
      relay.backplane.onMessage(from, reader.take(Math.min(reader.byte(), MAX_MESSAGE)), (flags & 4) !== 0)
      if ((flags & 8) !== 0 && !asker.isClosed) region.send(asker, AWAY)
      region.clock.advance(WAITS_MS[(flags >> 4) % WAITS_MS.length] ?? 0)
    }
    const sent = region.takeMessages().filter(({ from, message }) => from === relay && message.type !== 'beat')
    must(sent.length <= MAX_ANSWERS * (steps + 1), 'answers are bounded')
    const seen = region.take()
    const isServed = relay.clients.size < 2 || region.exchange(asker, PEER).some(line => line.startsWith('1 gets'))
    must(isServed, 'local clients reach each other')
    region.relay(1).kill()
    region.clock.advance(REST_MS)
    const { members, routes, state } = relay.backplane
    must(members.size === 0 || state === 'twin', 'who is silent is no member')
    must(routes.size === 0 || state === 'twin', 'routes to members that are gone are gone')
    return [state, `${relay.clients.size}`, ...seen, ...sent.map(({ message }) => message.type)].join('\n')
  },
}

function seeds(): Uint8Array[] {
  const [key, time] = [clientKey(AWAY), Date.UTC(2026, 10, 1)]
  const keys = [
    { key, time },
    { key: clientKey(PEER), time: time + 10_000 },
  ]
  const messages: readonly OutMessage[] = [
    { type: 'beat', url: 'https://x.test/derp', incarnation: 1, sequence: 1, time },
    { type: 'here', sequence: 1, list: { number: 0, isLast: true }, keys },
    { type: 'here', sequence: 2, list: undefined, keys },
    { type: 'found', id: 1, keys },
    { type: 'find', id: 1, keys: [clientKey(PEER), key] },
    { type: 'gone', sequence: 3, keys },
    { type: 'superseded', key: clientKey(PEER), time: time + 20_000 },
    { type: 'resync' },
    { type: 'listed', sequence: 1 },
    { type: 'closePeer', peer: clientKey(PEER) },
    { type: 'reset' },
  ]
  const steps = messages.map((message, at) => {
    const bytes = encodeMessage(message)
    return concatBytes([Uint8Array.of((at % 3 === 0 ? 8 : 0) | ((at % 5) << 4), bytes.length), bytes])
  })
  const beat = steps[0] ?? new Uint8Array(0)
  // From the stranger, who makes itself known by a beat.
  const strange = (step: Uint8Array) => Uint8Array.from(step, (byte, at) => (at === 0 ? byte | 1 : byte))
  return steps.flatMap((step, at) => [
    step,
    concatBytes([strange(beat), strange(step)]),
    concatBytes([strange(beat), ...steps.slice(at, at + 3), strange(step)]),
  ])
}
