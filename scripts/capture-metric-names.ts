/**
 * Prints the names of the original's metrics, for test/golden/metric-names.json: starts the given `derper` with TLS on
 * loopback and a self-signed certificate, and reads both expositions.
 */

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { startProgram } from '../test/support/process.ts'
import { freePort, untilListening } from '../test/support/relays.ts'
import { varsShapes, varzShapes } from './metric-names.ts'

/** Metrics of the Go runtime, which ours lacks. */
const GO_RUNTIME = /^(?:go_|memstats|goroutines$|gauge_goroutines$)/

/** Our metrics that never move, with the reason; `{reason="…"}` restricts it to samples with that label. */
const NEVER_MOVES: Readonly<Record<string, string>> = {
  derp_tcp_rtt: 'Node does not tell the round-trip time of a TCP connection; without samples here',
  derp_unknown_frames: 'the original does not count the frames that it skips, and neither do we',
  derp_memstats_sys0: 'read once, when the relay is made, as in the original',
  'derp_packets_dropped{reason="queue_tail"}': 'there are no racing writers: a full queue always makes room',
  'derp_bytes_dropped{reason="queue_tail"}': 'there are no racing writers: a full queue always makes room',
  'derp_packets_dropped{reason="dup_client"}': 'one connection of a key is always active',
  'derp_bytes_dropped{reason="dup_client"}': 'one connection of a key is always active',
  process_max_fds: 'a limit of the process',
  process_start_time_seconds: 'constant for a process',
  process_start_unix_time: 'constant for a process',
  process_virtual_memory_max_bytes: 'a limit of the process',
  version: 'constant for a process',
}

async function capture(derper: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'metric-names-'))
  const port = await freePort()
  const args = ['-hostname', '127.0.0.1', '-certmode', 'manual', '-http-port', '-1', '-stun=false']
  const places = ['-a', `127.0.0.1:${port}`, '-c', join(directory, 'key'), '-certdir', directory]
  const program = await startProgram(derper, [...args, ...places])
  try {
    await untilListening(port)
    const vars = await textOf(`https://127.0.0.1:${port}/debug/vars`)
    const varz = await textOf(`https://127.0.0.1:${port}/debug/varz`)
    const { version } = JSON.parse(vars) as { version: string }
    const captured = {
      provenance: {
        module: `tailscale.com v${version.split('-', 1)[0]}`,
        program: `derper ${args.join(' ')}`,
        command: 'node scripts/capture-metric-names.ts DERPER > test/golden/metric-names.json',
        leftOut: `names of Go's runtime: ${GO_RUNTIME.source}`,
      },
      neverMoves: NEVER_MOVES,
      vars: withoutGo(varsShapes(vars)),
      varz: withoutGo(varzShapes(varz)),
    }
    return `${JSON.stringify(captured, undefined, 2)}\n`
  } finally {
    await program.stop()
    rmSync(directory, { recursive: true })
  }
}

function withoutGo<T>(shapes: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(shapes).filter(([name]) => !GO_RUNTIME.test(name)))
}

async function textOf(url: string): Promise<string> {
  const [response] = (await once(get(url, { rejectUnauthorized: false }), 'response')) as [IncomingMessage]
  return text(response)
}

const [derper] = process.argv.slice(2)
if (derper === undefined) {
  process.stderr.write('usage: node scripts/capture-metric-names.ts DERPER\n')
  process.exitCode = 2
} else {
  process.stdout.write(await capture(derper))
}
