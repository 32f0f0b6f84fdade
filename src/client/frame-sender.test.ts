import { expect, test } from 'vitest'
import { DerpError } from '../lib/derp-error.ts'
import type { Conn } from '../transport/conn.ts'
import { FrameSender } from './frame-sender.ts'

/** A transport whose writes complete when the test says so. */
class HeldConn {
  readonly writes: { text: string; done: (error?: Error) => void }[] = []

  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void {
    this.writes.push({ text: chunks.map(chunk => String.fromCharCode(...chunk)).join('|'), done })
  }
}

function setUp() {
  const conn = new HeldConn()
  const failures: DerpError[] = []
  const sender = new FrameSender(conn as unknown as Conn, error => failures.push(error))
  const settled: string[] = []
  const send = (text: string) => {
    const sent = sender.send(Uint8Array.from(text, char => char.charCodeAt(0)))
    sent.then(
      () => settled.push(text),
      (error: DerpError) => settled.push(`${text} ${error.code}`),
    )
    return sent
  }
  return { conn, failures, sender, send, settled }
}

const microtasks = () => new Promise<void>(resolve => setImmediate(resolve))

test('FrameSender joins the frames of one turn into one write', async () => {
  const { conn, send } = setUp()
  void send('a')
  void send('b')
  expect(conn.writes).toEqual([])
  await microtasks()
  expect(conn.writes.map(write => write.text)).toEqual(['a|b'])
})

test('FrameSender has one pending write, and joins frames that arrive meanwhile', async () => {
  const { conn, send, settled } = setUp()
  void send('a')
  await microtasks()
  void send('b')
  await microtasks()
  void send('c')
  await microtasks()
  expect(conn.writes.map(write => write.text)).toEqual(['a'])
  expect(settled).toEqual([])
  conn.writes[0]?.done()
  await microtasks()
  expect(settled).toEqual(['a'])
  expect(conn.writes.map(write => write.text)).toEqual(['a', 'b|c'])
  conn.writes[1]?.done()
  await microtasks()
  expect(settled).toEqual(['a', 'b', 'c'])
})

test('FrameSender reports a failed write to its owner, which fails it', async () => {
  const { conn, failures, sender, send, settled } = setUp()
  void send('a')
  await microtasks()
  void send('b')
  const cause = new Error('EPIPE')
  conn.writes[0]?.done(cause)
  expect(failures).toMatchObject([{ code: 'ERR_DERP_WRITE_FAILED', message: 'write to relay: EPIPE', cause }])
  sender.fail(failures[0] as DerpError)
  void send('c')
  await microtasks()
  expect(settled.toSorted()).toEqual(['a', 'b', 'c'].map(text => `${text} ERR_DERP_WRITE_FAILED`))
  expect(conn.writes).toHaveLength(1)
})

test('FrameSender writes nothing more after a failure and keeps its first error', async () => {
  const { conn, failures, sender, send, settled } = setUp()
  void send('a')
  sender.fail(new DerpError('ERR_DERP_CONN_CLOSED', 'gone'))
  sender.fail(new DerpError('ERR_DERP_READ_TIMEOUT', 'late'))
  await microtasks()
  void send('b')
  await microtasks()
  expect(conn.writes).toEqual([])
  expect(failures).toEqual([])
  expect(settled).toEqual(['a ERR_DERP_CONN_CLOSED', 'b ERR_DERP_CONN_CLOSED'])
})
