import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import { WebSocketInput } from './websocket-input.ts'

const PIECE_BYTES = 2 << 10
const TURN_BYTES = 256 << 10

/** An input whose socket has received `bytes`; `onPiece` gets what the WebSocket is handed. */
async function received(bytes: Buffer, onPiece: (piece: Buffer, input: WebSocketInput) => void) {
  const clock = new FakeClock({ turns: 'manual' })
  const socket = new Readable({ read() {} })
  socket.on('data', (piece: Buffer) => onPiece(piece, input))
  const input = new WebSocketInput(socket as unknown as Socket, clock)
  socket.push(bytes)
  await settle()
  return { clock, input, socket }
}

test('WebSocketInput hands over pieces of at most 2 KiB, in order (P-111)', async () => {
  const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, at) => at % 251))
  const pieces: Buffer[] = []
  await received(bytes, piece => pieces.push(piece))
  expect(pieces.map(({ length }) => length)).toEqual([PIECE_BYTES, PIECE_BYTES, 5_000 - 2 * PIECE_BYTES])
  expect(Buffer.concat(pieces)).toEqual(bytes)
})

test('WebSocketInput hands over 256 KiB in a turn, and the rest in later turns (P-111)', async () => {
  let total = 0
  const { clock, input } = await received(Buffer.alloc(2 * TURN_BYTES + 10), ({ length }) => {
    total += length
  })
  expect(total).toBe(TURN_BYTES)
  // The owner may not use up another budget in this turn.
  input.resume()
  expect(total).toBe(TURN_BYTES)
  clock.runTurn()
  expect(total).toBe(2 * TURN_BYTES)
  clock.runTurn()
  expect(total).toBe(2 * TURN_BYTES + 10)
})

test('WebSocketInput hands over 64 messages in a turn, whole pieces of them (P-111)', async () => {
  let pieces = 0
  const { clock } = await received(Buffer.alloc(6 * PIECE_BYTES), (_, input) => {
    pieces++
    for (let message = 0; message < 32; message++) input.noteMessage()
  })
  expect(pieces).toBe(2)
  clock.runTurn()
  expect(pieces).toBe(4)
})

test('WebSocketInput that is paused hands over nothing until it is resumed (P-111)', async () => {
  const pieces: number[] = []
  const { clock, input, socket } = await received(Buffer.alloc(3 * PIECE_BYTES), ({ length }, self) => {
    pieces.push(length)
    if (pieces.length === 1) self.pause()
  })
  socket.push(Buffer.alloc(10))
  await settle()
  clock.runTurn()
  expect(pieces).toEqual([PIECE_BYTES])
  input.resume()
  expect(pieces).toEqual([PIECE_BYTES, PIECE_BYTES, PIECE_BYTES, 10])
})

test('WebSocketInput that is paused while it waits for its turn hands over nothing then (P-111)', async () => {
  let total = 0
  const { clock, input } = await received(Buffer.alloc(2 * TURN_BYTES), ({ length }) => {
    total += length
  })
  input.pause()
  clock.runTurn()
  expect(total).toBe(TURN_BYTES)
  input.resume()
  expect(total).toBe(2 * TURN_BYTES)
})

test('WebSocketInput hands over no piece while another is being handled, even if that resumes it (P-111)', async () => {
  const steps: string[] = []
  await received(Buffer.alloc(2 * PIECE_BYTES), (_, input) => {
    const piece = Math.floor(steps.length / 2)
    steps.push(`begin ${piece}`)
    input.pause()
    input.resume()
    steps.push(`end ${piece}`)
  })
  expect(steps).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1'])
})
