/** The frame decoder, and the messages of its frames. */

import { concatBytes } from '../../src/lib/bytes.ts'
import { ProtocolError } from '../../src/lib/derp-error.ts'
import { decodeClientToServer, decodeServerToClient } from '../../src/protocol/decode.ts'
import { encodeClientToServer, encodeServerToClient } from '../../src/protocol/encode.ts'
import { FrameDecoder } from '../../src/protocol/frame-decoder.ts'
import { CLIENT_BOUNDS, CLIENT_LOGIN_BOUNDS, type FrameBounds } from '../../src/protocol/frame-type.ts'
import type { ServerToClient } from '../../src/protocol/messages.ts'
import { SERVER_BOUNDS, SERVER_LOGIN_BOUNDS } from '../../src/protocol/server-bounds.ts'
import { plain } from '../../test/support/arbitrary-messages.ts'
import { fromHex, readGolden } from '../../test/support/golden.ts'
import { NAIVE_RULES, type NaiveFrame, naiveDecode, naiveEncode, naiveFrames } from '../../test/support/naive-codec.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'
import { hexOf, InputReader, splitBy } from '../support/input-reader.ts'

type Side = keyof typeof NAIVE_RULES
const SIDES: readonly Side[] = ['serverLogin', 'server', 'clientLogin', 'client']
const BOUNDS: Record<Side, FrameBounds> = {
  serverLogin: SERVER_LOGIN_BOUNDS,
  server: SERVER_BOUNDS,
  clientLogin: CLIENT_LOGIN_BOUNDS,
  client: CLIENT_BOUNDS,
}
/** Sizes of the pieces that a stream comes in. */
const SIZES = 16

export const target: FuzzTarget = {
  about:
    'Bytes in pieces of any size, on either side, before and after the login: the frames are those of the naive codec; messages encode to the bytes that they were decoded from; a byte is copied at most twice; errors are `ProtocolError`.',
  seeds: seeds(),
  run: input => {
    const reader = new InputReader(input)
    const side = reader.oneOf(SIDES)
    const sizes = reader.take(SIZES)
    const stream = reader.rest()
    const { frames, refused } = naiveFrames(stream, NAIVE_RULES[side])
    const expected = [...frames.map(shown), ...(refused ? ['refused'] : [])].join('\n')
    const seen = decode(side, splitBy(sizes, stream), stream.length).join('\n')
    mustAgree('frames of the two decoders', seen, expected)
    return seen
  },
}

function decode(side: Side, pieces: readonly Uint8Array[], total: number): string[] {
  const decoder = new FrameDecoder(BOUNDS[side])
  const seen: string[] = []
  let pushed = 0
  try {
    for (const piece of pieces) {
      decoder.push(piece)
      pushed += piece.length
      while (decoder.next()) {
        const { type, length, skipped, buffer, start } = decoder
        const bytes = skipped ? new Uint8Array(0) : buffer.slice(start, start + 5 + length)
        seen.push(shown({ type, length, skipped, bytes, readTo: pushed - decoder.pendingBytes }))
        if (!skipped) checkMessage(side, type, bytes.subarray(5))
      }
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    seen.push('refused')
  }
  must(decoder.bytesCopied <= 2 * total, 'no byte is copied more than twice')
  return seen
}

function shown({ type, length, skipped, readTo, bytes }: NaiveFrame): string {
  return `${skipped ? 'skipped' : 'read'} ${type} ${length} up to ${readTo}: ${hexOf(bytes)}`
}

function checkMessage(side: Side, type: number, body: Uint8Array): void {
  if (side.startsWith('server')) {
    const message = decodeClientToServer(type, body)
    if (message === undefined) return
    mustAgree('messages of the two decoders', plain(message), naiveDecode('toServer', type, hexOf(body)))
    mustAgree('bytes of the two encoders', hexOf(encodeClientToServer(message)), naiveEncode(plain(message)))
    return
  }
  const message = decodeServerToClient(type, body)
  if (message === undefined) return
  const again = decodeServerToClient(type, encodeServerToClient(message).subarray(5))
  mustAgree('a message and its copy', again && plain(inFull(again)), plain(inFull(message)))
}

/** Servers that are old leave the address out; ours writes one of zeros. */
function inFull(message: ServerToClient): ServerToClient {
  return message.type === 'peerPresent'
    ? { ...message, address: message.address ?? { address: '::', port: 0 } }
    : message
}

function seeds(): Uint8Array[] {
  const { clientFrames, clientReads } = readGolden('frames')
  const toServer = clientFrames.flatMap(({ hex = '' }) => [fromHex(hex)])
  const toClient = clientReads.flatMap(({ hex = '' }) => [fromHex(hex)])
  const choices = (side: number) => [Uint8Array.of(side), new Uint8Array(SIZES).fill(7)]
  return [
    ...toServer.map(bytes => concatBytes([...choices(1), bytes])),
    ...toClient.map(bytes => concatBytes([...choices(3), bytes])),
  ]
}
