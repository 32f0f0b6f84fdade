/** What a packet of a load test carries: the run, its number, and when it was to be sent. Pure. */

/** Smallest size of a packet. */
export const STAMP_BYTES = 16

export interface PacketStamp {
  /** Packets of other runs do not count. */
  readonly run: number
  readonly number: number
  /** By the clock of the process that sends and receives it. */
  readonly intendedMs: number
}

export function writeStamp(packet: Uint8Array, { run, number, intendedMs }: PacketStamp): void {
  const view = new DataView(packet.buffer, packet.byteOffset, STAMP_BYTES)
  view.setUint32(0, run)
  view.setUint32(4, number)
  view.setFloat64(8, intendedMs)
}

/** Undefined if it is too short to have one. */
export function readStamp(packet: Uint8Array): PacketStamp | undefined {
  if (packet.length < STAMP_BYTES) return undefined
  const view = new DataView(packet.buffer, packet.byteOffset, STAMP_BYTES)
  return { run: view.getUint32(0), number: view.getUint32(4), intendedMs: view.getFloat64(8) }
}
