/** `derp cat`: connects two terminals through a relay. */

import type { NodeClient } from '../../client/node/node-client.ts'
import { NodePrivateKey, NodePublicKey } from '../../keys/node-key.ts'
import { onAbort } from '../../lib/abort.ts'
import { isDerpError } from '../../lib/derp-error.ts'
import type { CommandIo } from '../command-io.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit.ts'
import { loadKeyFile } from '../key-file.ts'
import { IncomingFile } from './cat/incoming-file.ts'
import { Receiver } from './cat/receiver.ts'
import { assertSendable, sendFile } from './cat/send-file.ts'
import { CHUNK_BYTES, WindowedSender } from './cat/windowed-sender.ts'
import { unusable } from './relay/relay-address.ts'
import { addRelayOptions, clientOf, type RelayFlags, readRelayAccess } from './relay/relay-options.ts'
import type { AddSubcommand } from './subcommand.ts'

interface CatFlags extends RelayFlags {
  readonly to?: string
  readonly file?: string
  /** False for `--no-ack`. */
  readonly ack: boolean
  readonly keyFile?: string
}

export const addCat: AddSubcommand = (parent, { io, done }) => {
  addRelayOptions(
    parent
      .command('cat')
      .description('print our public key and received data; with --to, send standard input')
      .option('--to <nodekey>', 'send standard input to this peer, then exit')
      .option('--file <path>', 'send or receive this file instead, and compare its hash; to be given at both ends')
      .option('--no-ack', 'send to a program that is not derp cat: wait for the relay only'),
  )
    .option('--key-file <file>', 'private key file, created if missing (default: a fresh key)')
    .action(async (relay: string | undefined, flags: CatFlags) => {
      const { to, file, keyFile } = flags
      const peer = to === undefined ? undefined : readPeer(to)
      if (!flags.ack && (peer === undefined || file !== undefined)) {
        throw unusable('use --no-ack: only for standard input, which --to sends')
      }
      const access = await readRelayAccess(relay, flags, io)
      const key = keyFile === undefined ? NodePrivateKey.generate() : (await loadKeyFile(keyFile)).key
      const work = flags.ack ? await workOf(peer, file, io) : unacknowledged(peer as NodePublicKey, io)
      done(await connected(clientOf(access, key, { proxyEnv: io.env }), work, io))
    })
}

function readPeer(text: string): NodePublicKey {
  try {
    return NodePublicKey.parse(text)
  } catch (error) {
    throw unusable(`use --to ${text}: ${(error as Error).message}; the other derp cat prints its key`)
  }
}

interface Work {
  /** Runs over the connection; resolves to the exit code. */
  readonly run: (client: NodeClient) => Promise<number>
  /** Exit code when interrupted. */
  readonly interrupted: number
}

/** For peers that do not speak the protocol of `derp cat`. */
function unacknowledged(peer: NodePublicKey, io: CommandIo): Work {
  const run = async (client: NodeClient) => {
    for await (const chunk of io.stdin) {
      for (let at = 0; at < chunk.length; at += CHUNK_BYTES) {
        await client.send(peer, chunk.subarray(at, at + CHUNK_BYTES))
      }
    }
    // The relay reads in order, so its Pong says that it has read everything.
    const answered = client.ping()
    discardAll(client)
    await answered
    return EXIT_OK
  }
  return { run, interrupted: EXIT_OK }
}

/** Receives until the connection ends: otherwise no Pong arrives. */
function discardAll(client: NodeClient): void {
  const discard = async () => {
    for (;;) await client.recv()
  }
  discard().catch(() => {})
}

/** Looks at files first, so that nothing is connected in vain. */
async function workOf(peer: NodePublicKey | undefined, path: string | undefined, io: CommandIo): Promise<Work> {
  if (path === undefined) {
    const run = (client: NodeClient) => (peer === undefined ? print(client, io) : send(client, peer, io))
    return { run, interrupted: EXIT_OK }
  }
  if (peer === undefined) {
    IncomingFile.assertAbsent(path)
    return { run: client => receiveFile(client, path, io), interrupted: EXIT_FAILED }
  }
  await assertSendable(path)
  const run = async (client: NodeClient) => {
    await sendFile(client, peer, path, io)
    return EXIT_OK
  }
  return { run, interrupted: EXIT_FAILED }
}

async function connected(client: NodeClient, { run, interrupted }: Work, io: CommandIo): Promise<number> {
  const stop = () => void client.close().catch(() => {})
  const stopListening = onAbort(io.ended, stop)
  try {
    await registered(client)
    io.err(`${client.selfPublicKey().toString()}\n`)
    return await run(client)
  } catch (error) {
    if (isDerpError(error, 'ERR_DERP_CLIENT_CLOSED')) return interrupted
    throw error
  } finally {
    stopListening()
    stop()
  }
}

/** Waits until the relay routes packets to this client. */
async function registered(client: NodeClient): Promise<void> {
  while ((await client.recv()).type !== 'serverInfo');
}

/** Prints what any peer sends. */
function print(client: NodeClient, io: CommandIo): Promise<number> {
  const sink = { write: (data: Uint8Array) => io.out(data), keep: async () => {} }
  return new Receiver({ client, io, sink, isForFile: false }).run()
}

async function receiveFile(client: NodeClient, path: string, io: CommandIo): Promise<number> {
  const sink = await IncomingFile.create(path)
  try {
    return await new Receiver({ client, io, sink, isForFile: true }).run()
  } finally {
    await sink.close()
  }
}

/** Sends standard input, and waits for the last acknowledgement. */
async function send(client: NodeClient, peer: NodePublicKey, io: CommandIo): Promise<number> {
  const sender = new WindowedSender(client, peer)
  for await (const chunk of io.stdin) await sender.send(chunk)
  await sender.settled()
  return EXIT_OK
}
