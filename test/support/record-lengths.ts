/** How long the TLS records are in which a relay sends packets. */

import type { RawClient } from './raw-client.ts'
import type { TlsRecorder } from './tls-recorder.ts'

/** Header, nonce and tag of a TLS 1.2 record; those of TLS 1.3 are shorter. */
export const RECORD_OVERHEAD = 5 + 8 + 16
/** Below the depth of a queue, so that nothing is dropped. */
const BURST = 20
const PACKET_BYTES = 1_400

/** The longest record with a burst of packets for a client behind `recorder`, which has logged in. */
export async function longestRecord(recorder: TlsRecorder, sender: RawClient, reader: RawClient): Promise<number> {
  recorder.relayRecords.length = 0
  for (let n = 0; n < BURST; n++) sender.packet(reader.publicKey, new Uint8Array(PACKET_BYTES))
  // Written at once, whatever the machine does meanwhile.
  sender.packet(reader.publicKey, new Uint8Array(65_536))
  for (let n = 0; n <= BURST; n++) await reader.messageOf('receivedPacket')
  return Math.max(...recorder.relayRecords)
}
