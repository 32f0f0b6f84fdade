/** `derp cat`: connects two terminals through a relay. */

import { NodeClient as Client } from '../../client/node/node-client.ts'
import type { ProxyEnv } from '../../client/node/node-proxy-rules.ts'
import { NodePrivateKey, NodePublicKey } from '../../keys/node-key.ts'
import { DerpError, isDerpError } from '../../lib/derp-error.ts'
import { EXIT_OK } from '../exit.ts'
import { loadKeyFile } from '../key-file.ts'
import { trustSystem } from '../trust.ts'
import type { AddSubcommand } from './subcommand.ts'

/** Payload bytes per packet: little header overhead, well below the maximum (P-052). */
const CHUNK_BYTES = 16 << 10
/** Packets in flight: half of a relay's queue for a slow reader, so none are dropped. */
const WINDOW_PACKETS = 16

/** Acknowledges one packet; data packets are never empty. */
const ACKNOWLEDGEMENT = new Uint8Array(0)
const ACK_TIMEOUT_MS = 10_000

interface CatFlags {
  readonly to?: string
  readonly keyFile?: string
}

export const addCat: AddSubcommand = (parent, { io, done }) => {
  parent
    .command('cat')
    .description('print our public key and received data; with --to, send standard input')
    .argument('<url>', 'relay URL, such as http://127.0.0.1:3340/derp')
    .option('--to <nodekey>', 'send standard input to this peer, then exit')
    .option('--key-file <file>', 'private key file, created if missing (default: a fresh key)')
    .action(async (url: string, { to, keyFile }: CatFlags) => {
      const key = keyFile === undefined ? NodePrivateKey.generate() : (await loadKeyFile(keyFile)).key
      await trustSystem(io.env, problem => io.err(`derp: ${problem}\n`))
      done(await cat({ url, to, key, proxyEnv: io.env }))
    })
}

interface CatOptions {
  readonly url: string
  /** Peer that receives standard input; without it, received data is printed. */
  readonly to: string | undefined
  readonly key: NodePrivateKey
  readonly proxyEnv: ProxyEnv
}

/** Runs until the end of standard input or of the connection. */
async function cat({ url, to, key, proxyEnv }: CatOptions): Promise<number> {
  const peer = to === undefined ? undefined : NodePublicKey.parse(to)
  const client = new Client(key, url, { proxyEnv })
  const stop = () => void client.close().catch(() => {})
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    await registered(client)
    process.stderr.write(`${client.selfPublicKey().toString()}\n`)
    return await (peer === undefined ? print(client) : send(client, peer))
  } catch (error) {
    if (isDerpError(error, 'ERR_DERP_CLIENT_CLOSED')) return EXIT_OK
    throw error
  } finally {
    stop()
  }
}

/** Waits until the relay routes packets to this client. */
async function registered(client: Client): Promise<void> {
  while ((await client.recv()).type !== 'serverInfo');
}

/** Prints and acknowledges packets from any peer. */
async function print(client: Client): Promise<number> {
  for await (const message of client) {
    if (message.type !== 'receivedPacket' || message.data.length === 0) continue
    await write(message.data)
    await client.send(message.source, ACKNOWLEDGEMENT)
  }
  return EXIT_OK
}

function write(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, error => (error ? reject(error) : resolve()))
  })
}

/** Sends standard input within the window, and waits for the last acknowledgement. */
async function send(client: Client, peer: NodePublicKey): Promise<number> {
  let inFlight = 0
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    for (let at = 0; at < chunk.length; at += CHUNK_BYTES) {
      if (inFlight === WINDOW_PACKETS) inFlight -= await acknowledgement(client, peer)
      await client.send(peer, chunk.subarray(at, at + CHUNK_BYTES))
      inFlight++
    }
  }
  while (inFlight > 0) inFlight -= await acknowledgement(client, peer)
  return EXIT_OK
}

async function acknowledgement(client: Client, peer: NodePublicKey): Promise<1> {
  const signal = AbortSignal.timeout(ACK_TIMEOUT_MS)
  try {
    for (;;) {
      const message = await client.recv(signal)
      if (message.type === 'peerGone' && message.peer.equals(peer)) break
      if (message.type === 'receivedPacket' && message.source.equals(peer) && message.data.length === 0) return 1
    }
  } catch (error) {
    if (!isDerpError(error, 'ERR_DERP_ABORTED')) throw error
  }
  throw new DerpError(
    'ERR_DERP_CONN_CLOSED',
    `send to ${peer.shortString()}: no acknowledgement; is "derp cat" running there on the same relay?`,
  )
}
