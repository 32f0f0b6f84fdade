/** Standard streams, environment and signals of a command; tests pass their own. */

import { once } from 'node:events'

export interface CommandIo {
  readonly stdin: AsyncIterable<Uint8Array>
  /** Writes to standard output; resolves when it accepts more. */
  readonly out: (data: string | Uint8Array) => Promise<void>
  /** Writes to standard error. */
  readonly err: (text: string) => void
  readonly env: NodeJS.ProcessEnv
  /** Aborted on SIGINT and SIGTERM. */
  readonly ended: AbortSignal
  /** Width of the terminal; undefined when standard output is not a terminal. */
  readonly columns: number | undefined
}

/** The streams of this process. Reading {@link CommandIo.ended} turns off the default action of the signals. */
export function processIo(): CommandIo {
  const { stdin, stdout, stderr, env } = process
  const end = new AbortController()
  let isWatched = false
  // A reader such as `head` may close the pipe early.
  stdout.on('error', () => end.abort())
  return {
    stdin: stdin as AsyncIterable<Uint8Array>,
    out: async data => {
      if (!stdout.write(data) && !stdout.destroyed) await once(stdout, 'drain', { signal: end.signal }).catch(() => {})
    },
    err: text => void stderr.write(text),
    env,
    get ended() {
      if (!isWatched) for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => end.abort())
      isWatched = true
      return end.signal
    },
    columns: stdout.isTTY ? stdout.columns : undefined,
  }
}

/** All of standard input as text. */
export async function readAll(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
