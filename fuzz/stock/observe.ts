/** What a client sees of a relay that it sends the input of the target `relay-session`. */

import { connect } from 'node:net'
import { nodeAgreement } from '../../src/keys/node-box.ts'
import type { NodePrivateKey } from '../../src/keys/node-key.ts'
import { sealBox } from '../../src/keys/secretbox.ts'
import { concatBytes, readUint32 } from '../../src/lib/bytes.ts'
import { encodeClientToServer, encodeFrame } from '../../src/protocol/encode.ts'
import { FrameType } from '../../src/protocol/frame-type.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { readHead } from '../../test/conformance/target.ts'
import { RawClient, type RawFrame } from '../../test/support/raw-client.ts'
import { hexOf } from '../support/input-reader.ts'
import { ATTACKER, readInput } from '../support/session-input.ts'

const UPGRADE = 'GET /derp HTTP/1.1\r\nHost: a\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n'
/** The original drops what a client does not read in time, so no more are sent at once. */
const MAX_FRAMES = 16
/** Bodies up to this length are sent whole, however little of them is in the input. */
const MAX_PADDED = 70_000
const HEADER = 5
/** Milliseconds between the pings that ask whether everything has been handled. */
const ASK_MS = 20
/** Pings without an answer, when the relay waits for the rest of a long frame. */
const MAX_ASKS = 25

/**
 * Logs in by `key`, which is another each time: the relay may not yet know that the last client has left.
 *
 * @returns frames in order of their bytes, each once: the original's are in no order, and it may leave out repeated pongs.
 */
export async function observe(port: number, input: Uint8Array, key: NodePrivateKey): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => {})
  socket.write(UPGRADE)
  const { rest } = await readHead(socket)
  const client = new RawClient(new NodeConn(socket, rest))
  try {
    return await playInput(client, input, key)
  } finally {
    client.close()
  }
}

async function playInput(client: RawClient, input: Uint8Array, key: NodePrivateKey): Promise<string> {
  const { mode, json, frames } = readInput(input)
  const serverKey = await client.greeting()
  if (mode === 0) {
    client.sendBytes(concatBytes([json, frames]))
    client.conn.end()
    await client.closed()
    return shown(client.waitingFrames, key, true)
  }
  const sealedInfo = sealBox(await nodeAgreement.agree(key, serverKey), json)
  client.sendBytes(encodeClientToServer({ type: 'clientInfo', clientKey: key.publicKey(), sealedInfo }))
  const answered = await client.frame().catch(() => undefined)
  if (answered === undefined) return 'refused'
  client.sendBytes(wholeFrames(replaceKey(frames, key)))
  const isClosed = await untilHandled(client)
  return shown(client.waitingFrames, key, isClosed)
}

/** Resolves to whether the relay has closed the connection. */
async function untilHandled(client: RawClient): Promise<boolean> {
  const payload = crypto.getRandomValues(new Uint8Array(8))
  const isAnswer = ({ type, body }: RawFrame) => type === FrameType.Pong && hexOf(body) === hexOf(payload)
  for (let asked = 0; asked < MAX_ASKS && !client.isClosed; asked++) {
    client.send({ type: 'ping', payload })
    await new Promise(resolve => setTimeout(resolve, asked === 0 ? 2 : ASK_MS))
    if (client.waitingFrames.some(isAnswer)) return client.isClosed
  }
  return client.isClosed
}

/** What came before the end of a connection may not have been sent any more. */
function shown(frames: readonly RawFrame[], key: NodePrivateKey, isClosed: boolean): string {
  if (isClosed) return 'closed'
  const own = key.publicKey().toHex()
  const lines = frames
    .filter(({ type }) => type !== FrameType.KeepAlive && type !== FrameType.Pong)
    // The port of the client is another each time.
    .map(
      ({ type, body }) =>
        `${type} ${hexOf(type === FrameType.PeerPresent ? body.subarray(0, 32) : body).replaceAll(own, 'self')}`,
    )
  return ['open', ...new Set(lines.toSorted())].join('\n')
}

/** The first frames, the last one filled up so that nothing that follows becomes part of it. */
function wholeFrames(stream: Uint8Array): Uint8Array {
  const whole: Uint8Array[] = []
  for (let at = 0; at + HEADER <= stream.length && whole.length < MAX_FRAMES; ) {
    const length = readUint32(stream, at + 1)
    const end = at + HEADER + length
    const frame = stream.subarray(at, end)
    const missing = Math.max(0, end - stream.length)
    whole.push(frame, new Uint8Array(length <= MAX_PADDED ? missing : 0))
    at = end
  }
  return whole.length === 0 ? encodeFrame(FrameType.NotePreferred, Uint8Array.of(0)) : concatBytes(whole)
}

function replaceKey(bytes: Uint8Array, key: NodePrivateKey): Uint8Array {
  const [from, to] = [ATTACKER.publicKey().toHex(), key.publicKey().toHex()]
  return new Uint8Array(Buffer.from(hexOf(bytes).replaceAll(from, to), 'hex'))
}
