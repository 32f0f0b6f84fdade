/** The `derper` command: a relay as a daemon. */

import { DerperDaemon } from './derper-daemon.ts'
import { DERPER_FLAGS, DERPER_SECTIONS } from './derper-flags.ts'
import { type DerperSettings, readPrivateKey, readSettings } from './derper-settings.ts'
import { EXIT_OK, runCommand } from './exit.ts'
import { readFlags } from './flag-sources.ts'
import { formatListenAddress } from './listen-address.ts'
import { createLog } from './log.ts'
import { usage } from './usage.ts'
import { packageVersion } from './version.ts'

const SUMMARY = 'derper relays end-to-end encrypted packets between clients that cannot reach each other (DERP).'

/** Runs the command until a signal ends it; resolves to the exit code. */
export function main(args: readonly string[]): Promise<number> {
  return runCommand('derper', async () => {
    const parsed = readFlags('derper', DERPER_FLAGS, args, process.env)
    if (parsed.help) {
      process.stdout.write(usage('derper', SUMMARY, DERPER_SECTIONS))
      return EXIT_OK
    }
    if (parsed.values.version) {
      process.stdout.write(`${packageVersion()}\n`)
      return EXIT_OK
    }
    const settings = readSettings(parsed.values, parsed.given, process.env)
    const log = createLog(settings.logLevel)
    const daemon = new DerperDaemon(settings, await readPrivateKey(parsed.values), log, process.env)
    try {
      await daemon.start()
      announce(settings, daemon)
      process.on('SIGHUP', () => daemon.reload())
      await terminationSignal()
    } finally {
      await daemon.stop()
    }
    return EXIT_OK
  })
}

/** Says where the relay is and what to try next; tests wait for the first line. */
function announce(settings: DerperSettings, daemon: DerperDaemon): void {
  const { address, tls, derp, dev } = settings
  const at = (port: number) => formatListenAddress({ host: address.host, port })
  const lines = [
    `derper: serving on ${at(daemon.port)}${tls === undefined ? '' : ' with TLS'}${derp ? `, relay ${daemon.relay.publicKey.toString()}` : ''}`,
  ]
  if (daemon.httpPort !== undefined) lines.push(`derper: plain HTTP on ${at(daemon.httpPort)}`)
  if (daemon.stunPort !== undefined) lines.push(`derper: STUN on ${at(daemon.stunPort)}/udp`)
  if (dev && derp && tls === undefined) {
    const url = `http://${formatListenAddress({ host: address.host ?? 'localhost', port: daemon.port })}/derp`
    lines.push(`Try it:  npm run derp -- cat ${url}`)
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}

function terminationSignal(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  })
}
