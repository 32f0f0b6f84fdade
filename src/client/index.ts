/** Entry `derphttp/client`: the client of Node, and its parts for other platforms and other needs. */

export { Client as PortableClient, type ReceivedDetail } from './client.ts'
export { DerpClient } from './derp-client.ts'
export { NodeClient as Client, type NodeClientOptions as ClientOptions } from './node-client.ts'
export { createNodeTransport, type NodeTransportOptions } from './node-dial.ts'
export type { ClientOptions as PortableClientOptions, ConnectionOptions, DerpClientOptions } from './options.ts'
export type { ClientTransport, DialedConn, DialRequest, TlsConnectionState } from './ports.ts'
export { UpgradeRefusedError } from './upgrade-response.ts'
