/**
 * Reads a client's frames and handles them one by one; pauses the connection while one has to wait.
 *
 * Counterpart of the writer. Independent of keys and frame semantics.
 * Clauses: P-002, P-065, P-103, P-174.
 */

import { DerpError } from '../../lib/derp-error.ts'
import type { FrameDecoder } from '../../protocol/frame-decoder.ts'
import { FrameType } from '../../protocol/frame-type.ts'
import type { Conn } from '../../transport/conn.ts'
import type { Propagated } from '../ports.ts'
import type { RateLimit } from './rate-limit.ts'
import type { ReadPacer } from './read-pacer.ts'

/** Receives the frames. */
export interface FrameTarget {
  /** No more frames are wanted. */
  readonly isClosed: boolean
  /** Each frame counts as activity that others must know of before it is handled (P-065). */
  readonly isDuplicate: boolean
  noteActivity(): Propagated
  /** Handles one frame, which is valid until this returns. Skipped frames are not passed on. */
  handleFrame(frame: FrameDecoder): void
  /** The received bytes violate the protocol; `frame` is the one being read. */
  readFailed(error: DerpError, frame: FrameDecoder): void
}

export class Reader {
  readonly #conn: Conn
  readonly #decoder: FrameDecoder
  readonly #pacer: ReadPacer
  readonly #target: FrameTarget
  /** The activity of the frames read so far has been recorded. */
  #isNoted = false

  constructor(conn: Conn, decoder: FrameDecoder, pacer: ReadPacer, target: FrameTarget) {
    this.#conn = conn
    this.#decoder = decoder
    this.#pacer = pacer
    this.#target = target
  }

  /** Reads what came with the login, then resumes the connection. */
  start(): void {
    this.#readFrames()
    this.#resume()
  }

  /** Reads the frames of a chunk, which is the decoder's from now on. */
  read(chunk: Uint8Array): void {
    this.#isNoted = false
    this.#decoder.push(chunk)
    this.#noteRead(chunk.length)
  }

  /** A message without data has arrived. */
  readEmpty(): void {
    this.#noteRead(0)
  }

  /** Handles only packets from a mesh peer: those it sent before it noticed the close (P-174). */
  readLate(chunk: Uint8Array): void {
    const decoder = this.#decoder
    try {
      decoder.push(chunk)
      while (decoder.next()) {
        if (decoder.type === FrameType.ForwardPacket && !decoder.skipped) this.#target.handleFrame(decoder)
      }
    } catch (error) {
      this.#failWith(error)
    }
  }

  /** Sets the client's rate limit; undefined for none. */
  limitRate(limit: RateLimit | undefined): void {
    this.#pacer.setLimit(limit)
  }

  /** Handles no more frames until `known` resolves: until all workers know the effects of the last one. */
  pauseUntil(known: Propagated): void {
    if (known !== undefined) this.#waitFor(known, this.#readOn)
  }

  /** Stops reading permanently; the connection stays open. */
  pause(): void {
    this.#conn.pause()
    // A permanent wait: otherwise the rate limit would resume reading.
    this.#pacer.stop()
  }

  /** Ends all waits. */
  close(): void {
    this.#pacer.stop()
  }

  #noteRead(length: number): void {
    if (this.#pacer.mustWaitAfterRead(length, this.#readOn)) this.#conn.pause()
    else this.#readFrames()
  }

  #readFrames(): void {
    const decoder = this.#decoder
    const target = this.#target
    try {
      while (!target.isClosed && !this.#pacer.isWaiting && decoder.next()) {
        if (decoder.skipped) this.#pacer.assertWhollyCharged(decoder)
        if (this.#pacer.mustWait(decoder.length, this.#proceed)) this.#conn.pause()
        else this.#passOn()
        if (this.#pacer.mustYield(target.isDuplicate, this.#readOn)) this.#conn.pause()
      }
      // A header already counts as activity; skipped frames were recorded at their header (P-065).
      if (!target.isClosed && decoder.isGathering) void this.#noteActivity()
    } catch (error) {
      this.#failWith(error)
    }
  }

  #passOn(): void {
    const known = this.#noteActivity()
    if (known === undefined) this.#passOnNoted()
    else this.#waitFor(known, this.#proceedNoted)
  }

  /** Records it once per read: frames of other clients came before or after. */
  #noteActivity(): Propagated {
    if (this.#isNoted || !this.#target.isDuplicate) return undefined
    this.#isNoted = true
    return this.#target.noteActivity()
  }

  #passOnNoted(): void {
    if (!this.#decoder.skipped) this.#target.handleFrame(this.#decoder)
  }

  #waitFor(known: Promise<void>, proceed: () => void): void {
    this.#conn.pause()
    this.#pacer.waitFor(known, proceed)
  }

  /** Handles the frame that had to wait, then those after it. */
  readonly #proceed = (): void => {
    this.#isNoted = false
    this.#tryThenReadOn(() => this.#passOn())
  }

  /** Handles the frame that waited until its activity was known, then those after it. */
  readonly #proceedNoted = (): void => this.#tryThenReadOn(() => this.#passOnNoted())

  readonly #readOn = (): void => {
    this.#isNoted = false
    this.#tryThenReadOn(() => {})
  }

  #tryThenReadOn(handle: () => void): void {
    if (this.#target.isClosed) return
    try {
      handle()
    } catch (error) {
      this.#failWith(error)
    }
    this.#readFrames()
    this.#resume()
  }

  #resume(): void {
    if (!this.#target.isClosed && !this.#pacer.isWaiting) this.#conn.resume()
  }

  #failWith(error: unknown): void {
    if (!(error instanceof DerpError)) throw error
    this.#target.readFailed(error, this.#decoder)
  }
}
