/** The message port interface between coordinator and workers. */

/** A transferable: memory, or a channel end in the platform's own form. */
export type TransferHandle = object

/** One end of a channel: ordered, and lossless while both ends exist. */
export interface Port<Out, In> {
  /** Sends a copy; transferables move and no longer belong to the sender. */
  post(message: Out, handed?: readonly TransferHandle[]): void
  /** Starts delivering, including earlier messages. */
  open(handler: (message: In) => void): void
  /** Delivers everything posted so far, synchronously. */
  drain(): void
  close(): void
}
