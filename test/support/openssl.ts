/** What `openssl s_client` says of a TLS server, as somebody who shares no code with us. */

import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'

/** Whether openssl is there. Without it tests are skipped with one line; in CI that is a failure. */
export const hasOpenssl: boolean = lookForOpenssl()

/** A handshake as openssl saw it. */
export interface SeenChain {
  /** Subject and issuer of each certificate that was shown. */
  readonly shown: readonly { readonly subject: string; readonly issuer: string }[]
  /** What came of checking them; `0 (ok)` is well. */
  readonly verified: string
}

/** Makes a handshake with a server of loopback, trusting the authorities of a PEM file only. */
export async function seenChain(port: number, caFile: string, serverName?: string): Promise<SeenChain> {
  const name = serverName === undefined ? ['-noservername'] : ['-servername', serverName]
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, ...name, '-CAfile', caFile, '-no-CApath', '-showcerts']
  const running = promisify(execFile)('openssl', args)
  running.child.stdin?.end()
  const { stdout } = await running
  const shown = Array.from(stdout.matchAll(/^ *\d+ s:(.*)\n *i:(.*)$/gm), ([, subject = '', issuer = '']) => ({
    subject: subject.replaceAll(' ', ''),
    issuer: issuer.replaceAll(' ', ''),
  }))
  return { shown, verified: /Verify return code: (.*)/.exec(stdout)?.[1] ?? '' }
}

function lookForOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    if (process.env['CI']) throw new Error('find openssl: not installed, and CI may skip nothing')
    process.stderr.write('tests of certificate chains are skipped: openssl is not installed\n')
    return false
  }
}
