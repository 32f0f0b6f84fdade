/** What the parts of a relay need of what joins them. */

/** What a message hands over for good: memory, or the end of a channel in the platform's own shape. */
export type TransferHandle = object

/** One end of a channel: in order, and without loss while both ends are there. */
export interface Port<Out, In> {
  /** Sends a copy; what is `handed` over goes itself, and is no longer the sender's. */
  post(message: Out, handed?: readonly TransferHandle[]): void
  /** Delivers from now on; what has come before has waited. */
  open(handler: (message: In) => void): void
  /** Delivers all that has been posted until now, at once. */
  drain(): void
  close(): void
}
