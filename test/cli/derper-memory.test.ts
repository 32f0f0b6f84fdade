import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { Target } from '../conformance/target.ts'
import { commandPath } from '../support/commands.ts'
import { memoryCgroup } from '../support/memory-cgroup.ts'
import { type Program, startProgram } from '../support/process.ts'
import type { RawClient } from '../support/raw-client.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { served } from '../support/served.ts'

const DERPER = commandPath('derper')
const FLAGS = ['-dev', '-a', '127.0.0.1:0', '-stun=false']
const MIB = 2 ** 20

/** Hardly more than it takes at rest, by the number of workers. */
const GROUPS = [
  ['1', 256 * MIB],
  ['2', 384 * MIB],
] as const
// Not `ulimit -v`: V8 and JavaScriptCore reserve nearly all of it at start, and end when a mapping fails.
const group = memoryCgroup(GROUPS[0][1])
group?.remove()
if (group === undefined) process.stderr.write('derper-memory: a test is skipped: no control group can be made here\n')

const targetAt = (port: number) =>
  new Target({ url: `http://127.0.0.1:${port}/derp`, carriage: 'raw', like: 'ours', debug: true })

/** A number of `/proc/PID/status`, in bytes. */
function memoryOf({ child }: Program, field: 'VmHWM'): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]) * 1_024
}

/** The most memory that check-config announces, in bytes. */
async function announced(flags: readonly string[]): Promise<number> {
  const program = await startProgram(RUNTIME_PATH, [DERPER, 'check-config', ...flags])
  await program.exit()
  return Number(/memory: +at worst (\d+) MB/.exec(program.stdout)?.[1]) * 1e6
}

async function own(target: Target): Promise<Record<string, Record<string, number>>> {
  return (await target.vars())['derphttp'] as Record<string, Record<string, number>>
}

function isServed(target: Target): Promise<boolean> {
  return target.login().then(
    () => true,
    () => false,
  )
}

/** A client that reads nothing, and has sent all of a packet but its last byte. */
async function stuck(target: Target): Promise<RawClient> {
  const client = await target.login()
  client.conn.pause()
  const frame = new Uint8Array(5 + 32 + 65_535)
  frame.set([0x04, 0, 1, 0, 32])
  client.sendBytes(frame)
  return client
}

test('derper with 90 % of what it may hold stays within the memory that check-config announces (P-104)', async () => {
  const [connections, queued] = [50, 100 * MIB]
  const flags = [...FLAGS, '-max-connections', `${connections}`, '-max-queued-bytes', `${queued}`]
  const limits = [...flags, '-tcp-write-timeout', '0']
  const most = await announced(limits)
  const program = await startProgram(RUNTIME_PATH, [DERPER, ...limits])
  const { port } = await served(program)
  const target = targetAt(port)
  const readers = await Promise.all(Array.from({ length: 0.9 * connections - 1 }, () => stuck(target)))
  const sender = await target.login()
  const packet = new Uint8Array(65_536)
  for (let pending = 0; pending < 0.9 * queued; pending = Number((await own(target))['gauge_pending_bytes'])) {
    for (const reader of readers) {
      for (let n = 0; n < 8; n++) sender.packet(reader.publicKey, packet)
      await sender.sync()
    }
  }
  expect(memoryOf(program, 'VmHWM')).toBeLessThan(most)
  target.closeAll()
  await program.stop()
})

test.skipIf(group === undefined).each(GROUPS)(
  'derper with -workers %s in a control group refuses connections when its memory ends (P-109)',
  async (workers, bytes) => {
    const within = memoryCgroup(bytes)
    const program = await startProgram('/bin/sh', [
      ...(within?.shell ?? []),
      RUNTIME_PATH,
      DERPER,
      ...FLAGS,
      '-workers',
      workers,
      '-login-timeout',
      '5m',
    ])
    const { port } = await served(program)
    const target = targetAt(port)
    const [a, b] = [await target.login(), await target.login()]
    const attackers: Socket[] = []
    const request = `GET / HTTP/1.1\r\nx: ${'y'.repeat(15_000)}`
    let refused = 0
    while (refused < 100 && attackers.length < 20_000) {
      const some = Array.from({ length: 50 }, () => connect(port, '127.0.0.1').on('error', () => {}))
      for (const socket of some)
        socket
          .once('close', () => refused++)
          .resume()
          .write(request)
      attackers.push(...some)
      await Promise.all(some.map(socket => once(socket, 'connect').catch(() => {})))
      a.packet(b.publicKey, 'still there')
      await b.messageOf('receivedPacket')
    }
    for (const socket of attackers) socket.destroy()
    // It has garbage collected every 5 s.
    await expect.poll(() => isServed(target)).toBe(true)
    const { counter_connections_refused: counted } = await own(target)
    expect(counted?.['memory']).toBeGreaterThanOrEqual(100)
    target.closeAll()
    await program.stop()
    within?.remove()
  },
)
