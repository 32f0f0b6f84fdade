/** The input that is being run, in memory that two threads share. */

const MAX_BYTES = 1 << 20

export interface CurrentInput {
  /** Number of the run, and length of its input. */
  readonly head: Int32Array<SharedArrayBuffer>
  readonly bytes: Uint8Array<SharedArrayBuffer>
}

export function createCurrentInput(): CurrentInput {
  return { head: new Int32Array(new SharedArrayBuffer(8)), bytes: new Uint8Array(new SharedArrayBuffer(MAX_BYTES)) }
}

export function writeCurrentInput({ head, bytes }: CurrentInput, input: Uint8Array): void {
  bytes.set(input.subarray(0, MAX_BYTES))
  Atomics.store(head, 1, Math.min(input.length, MAX_BYTES))
  Atomics.add(head, 0, 1)
}

export function readCurrentInput({ head, bytes }: CurrentInput): { readonly run: number; readonly input: Uint8Array } {
  return { run: Atomics.load(head, 0), input: bytes.slice(0, Atomics.load(head, 1)) }
}
