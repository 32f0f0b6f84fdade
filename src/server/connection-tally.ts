/** What has passed over one connection. */

/** Totals of one connection. */
export class ConnectionTally {
  /** Number of the connection, in the order of accepts. */
  connNum = 0
  /** Bytes of all frames from the client. */
  bytesReceived = 0
  /** Bytes of all frames to the client. */
  bytesSent = 0
  /** Packets from the client. */
  packetsReceived = 0
  /** Payload bytes of packets from the client. */
  packetBytesReceived = 0
  /** Packets written to the client. */
  packetsSent = 0
  /** Payload bytes of packets written to the client. */
  packetBytesSent = 0
  /** Peers whose packets the client has received. */
  senders = 0
  /** Milliseconds that reading from the client was delayed by its share of the rate of all clients. */
  heldBackMs = 0
}
