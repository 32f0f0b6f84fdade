/** All floods, in run and report order. */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { freePort } from '../../test/support/relays.ts'
import type { Contender, Identity } from '../contender.ts'
import type { Flood, FloodSetup } from './flood.ts'

const DESCRIPTORS = 256
const MANY_DUPLICATES = 6_000

export const FLOODS: readonly Flood[] = [
  { id: 'none', title: 'no flood', attack: 'none', carriage: 'plain' },
  {
    id: 'descriptors',
    title: 'an admission URL that says no, 256 descriptors, 180 logins at once',
    attack: 'logins-once',
    carriage: 'tls',
    outcome: 'letIn',
    setUp: askNobody,
  },
  {
    id: 'unread-log',
    title: 'a log pipe that nobody reads, 400 refused logins per second',
    attack: 'refused',
    carriage: 'plain',
    outcome: 'failed',
    setUp: async ({ id }, { directory }) => {
      // Open for reading too, so that the relay's writes do not fail.
      const pipe = join(directory, `${id}.log`)
      return { shell: `rm -f '${pipe}'; mkfifo '${pipe}'; exec 2<>'${pipe}'` }
    },
  },
  {
    id: 'nested-info',
    title: 'nested ClientInfo of 256 KiB, 20 per second',
    attack: 'nested-info',
    carriage: 'plain',
    outcome: 'letIn',
  },
  {
    id: 'keyed-info',
    title: 'ClientInfo of 256 KiB in 26,000 members, 80 per second',
    attack: 'keyed-info',
    carriage: 'plain',
    outcome: 'letIn',
  },
  ...webSocketFloods(),
  { id: 'tls-records', title: 'TLS records of a byte', attack: 'tls-records', carriage: 'tls' },
  { id: 'empty-frames', title: 'frames of no length', attack: 'empty-frames', carriage: 'plain' },
  {
    id: 'duplicates',
    title: '3,000 connections of one key, all sending',
    attack: 'duplicates',
    carriage: 'plain',
    setUp: async () => ({ flags: { clients: 3_000 } }),
  },
  {
    id: 'duplicates-workers',
    title: '6,000 connections of one key, all sending; ours with two workers',
    attack: 'duplicates',
    carriage: 'plain',
    outcome: 'backlogSeconds',
    setUp: async ({ id }) => ({
      args: id === 'stock' ? [] : ['-workers', '2'],
      flags: { clients: MANY_DUPLICATES, backlog: 'true' },
    }),
  },
  {
    id: 'mesh-announce',
    title: 'a mesh peer that announces 80,000 clients per second',
    attack: 'mesh',
    carriage: 'tls',
    setUp: hostilePeer,
  },
  {
    id: 'stun',
    title: 'STUN requests, 75,000 per second',
    attack: 'stun',
    carriage: 'plain',
    outcome: 'answered',
    setUp: async () => {
      const port = await freePort()
      return { args: ['-stun=true', '-stun-port', String(port)], flags: { to: `127.0.0.1:${port}` } }
    },
  },
  {
    id: 'slow',
    title: '1,050 connections that stop or dribble in each phase of a TLS login or request',
    attack: 'slow',
    carriage: 'tls',
  },
  {
    id: 'zero-windows',
    title: 'packets to 50 clients that never read',
    attack: 'zero-windows',
    carriage: 'plain',
  },
  { id: 'dribble', title: 'packets byte by byte, 20,000 bytes per second', attack: 'dribble', carriage: 'plain' },
  { id: 'resets', title: 'resets amid a frame, 300 per second', attack: 'resets', carriage: 'plain' },
  { id: 'half-open', title: 'half-closed connections, 500 per second', attack: 'half-open', carriage: 'plain' },
  {
    id: 'handshakes',
    title: 'replayed ClientHellos, 16 at a time',
    attack: 'handshakes',
    carriage: 'tls',
    outcome: 'opened',
  },
  { id: 'logins', title: 'logins, 16 at a time', attack: 'logins', carriage: 'plain', outcome: 'letIn' },
  {
    id: 'watchers',
    title: '4 watchers that come, learn of 1,000 clients and leave',
    attack: 'watchers',
    carriage: 'plain',
    outcome: 'opened',
    setUp: async (_, { meshKeyFile }) => ({
      args: ['-mesh-psk-file', meshKeyFile],
      flags: { 'mesh-key': meshKeyFile },
    }),
  },
]

function webSocketFloods(): readonly Flood[] {
  const kinds = [
    ['empty', 'empty messages'],
    ['bytes', 'messages of a byte'],
    ['fragments', 'a message of endless fragments'],
    ['pings', 'pings'],
  ] as const
  return kinds.map(([kind, title]) => {
    const id = `ws-${kind}`
    return { id, title: `WebSocket, ${title}, logged in and not`, attack: id, carriage: 'plain' }
  })
}

/** An admission URL that admits the pair, and then no one. */
async function askNobody(): Promise<FloodSetup> {
  let allow = true
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end(JSON.stringify({ Allow: allow })))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    args: ['-verify-client-url', `http://127.0.0.1:${port}/`],
    shell: `ulimit -n ${DESCRIPTORS}`,
    pairIsIn: () => {
      allow = false
    },
    end: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function hostilePeer(_: Contender, { directory, meshKeyFile }: Identity): Promise<FloodSetup> {
  const port = await freePort()
  const file = (name: string) => join(directory, `localhost.${name}`)
  return {
    args: ['-mesh-psk-file', meshKeyFile, '-mesh-with', `localhost:${port}/127.0.0.1`],
    flags: { listen: `127.0.0.1:${port}`, cert: file('crt'), key: file('key') },
    startsFirst: true,
  }
}
