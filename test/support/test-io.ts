/** Standard streams of a command under test. */

import type { CommandIo } from '../../src/cli/command-io.ts'

export interface TestIo extends CommandIo {
  /** Standard output so far, as text. */
  readonly stdout: string
  readonly stderr: string
  /** Bytes of standard output so far. */
  readonly bytes: Buffer
  /** Ends the command like a signal. */
  interrupt(): void
}

export interface TestIoOptions {
  readonly stdin?: string | AsyncIterable<Uint8Array>
  readonly env?: NodeJS.ProcessEnv
  readonly columns?: number
  /** Called for each write to standard output. */
  readonly onOut?: (data: string | Uint8Array) => void
}

export function testIo({ stdin = '', env = {}, columns, onOut }: TestIoOptions = {}): TestIo {
  const out: Buffer[] = []
  const err: string[] = []
  const end = new AbortController()
  return {
    stdin: typeof stdin === 'string' ? textStream(stdin) : stdin,
    out: async data => {
      out.push(Buffer.from(data))
      onOut?.(data)
    },
    err: text => void err.push(text),
    env,
    ended: end.signal,
    columns,
    get bytes() {
      return Buffer.concat(out)
    },
    get stdout() {
      return Buffer.concat(out).toString('utf8')
    },
    get stderr() {
      return err.join('')
    },
    interrupt: () => end.abort(),
  }
}

async function* textStream(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
