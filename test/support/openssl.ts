/** Inspects a TLS server with `openssl s_client`, which shares no code with us. */

import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'

/** Whether openssl is installed. Without it tests are skipped with one line; in CI that is a failure. */
export const hasOpenssl: boolean = lookForOpenssl()

/** A handshake as seen by openssl. */
export interface SeenChain {
  /** Subject and issuer of each certificate presented. */
  readonly shown: readonly { readonly subject: string; readonly issuer: string }[]
  /** Verification result; `0 (ok)` if valid. */
  readonly verified: string
}

/** Performs a handshake with a loopback server, trusting only the CAs of a PEM file. */
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
