/** What has passed over one connection, for those who watch it. */

export class ConnectionTally {
  /** Number of the connection, in the order of accepts. */
  connNum = 0
  /** Bytes of frames of all types. */
  bytesReceived = 0
  bytesSent = 0
  /** Packets that the client has sent, and bytes of their payloads. */
  packetsReceived = 0
  packetBytesReceived = 0
  /** Packets that were written to the client, and bytes of their payloads. */
  packetsSent = 0
  packetBytesSent = 0
  /** Peers whose packets the client has received. */
  senders = 0
  /** Milliseconds that reading from the client was delayed by its share of the rate of all clients. */
  heldBackMs = 0
}
