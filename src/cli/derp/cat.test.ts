import { createHash, X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ListeningRelay } from '../../../test/support/listening-relay.ts'
import { payload } from '../../../test/support/payload.ts'
import { until } from '../../../test/support/settle.ts'
import { TestCa } from '../../../test/support/test-ca.ts'
import { type TestIoOptions, testIo } from '../../../test/support/test-io.ts'
import { Client, NodePrivateKey } from '../../entries/derphttp.ts'
import { main } from './derp.ts'

const directory = mkdtempSync(join(tmpdir(), 'derp-cat-'))
const caFile = join(directory, 'ca.pem')
let relay: ListeningRelay
let url: string
let pin: string

beforeAll(async () => {
  const ca = await TestCa.create()
  writeFileSync(caFile, ca.certificate)
  const certificate = await ca.issue({ ips: ['127.0.0.1'] })
  pin = createHash('sha256').update(new X509Certificate(certificate.certificate).raw).digest('hex')
  relay = await ListeningRelay.start({ tls: { hostname: '127.0.0.1', certificate } })
  url = `https://127.0.0.1:${relay.port}/derp`
})
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

const path = (name: string) => join(directory, name)
function write(name: string, content: string | Uint8Array): string {
  writeFileSync(path(name), content)
  return path(name)
}

/** A running `derp cat`. */
function cat(args: readonly string[], options: TestIoOptions = {}) {
  const io = testIo(options)
  const code = main(['cat', ...args], io)
  const key = async () => {
    let isOver = false
    void code.finally(() => {
      isOver = true
    })
    await until(() => isOver || io.stderr.includes('nodekey:'), 'it prints its key')
    const [found] = /nodekey:[0-9a-f]{64}/.exec(io.stderr) ?? []
    if (found === undefined) throw new Error(`read key: ${io.stderr}`)
    return found
  }
  return { io, code, key }
}

async function failure(...args: string[]): Promise<[code: number, text: string]> {
  const { io, code } = cat(args)
  return [await code, io.stderr]
}

const mapOf = (fields: object = {}) => {
  const node = { Name: '900a', RegionID: 900, HostName: '127.0.0.1', IPv6: 'none', DERPPort: relay.port, ...fields }
  const other = {
    RegionID: 901,
    RegionCode: 'far',
    RegionName: 'Far',
    Nodes: [{ ...node, RegionID: 901, DERPPort: 9 }],
  }
  const lab = { RegionID: 900, RegionCode: 'lab', RegionName: 'Lab', Nodes: [node] }
  return write('map.json', JSON.stringify({ Regions: { 900: lab, 901: other } }))
}

describe('derp cat reaches the relay', () => {
  test.each<[what: string, args: () => string[]]>([
    ['by URL and CA', () => ['--ca', caFile, url]],
    ['by host and pin', () => ['--pin', pin, `127.0.0.1:${relay.port}`]],
    ['by map and code', () => ['--ca', caFile, '--map', mapOf(), '--region', 'lab']],
    ['by map and ID, pinned there', () => ['--map', mapOf({ CertName: `sha256-raw:${pin}` }), '--region', '900']],
  ])('%s', async (_what, argsOf) => {
    const args = argsOf()
    const printer = cat(args)
    const sender = cat([...args, '--to', await printer.key()], { stdin: 'hello' })
    expect([await sender.code, printer.io.stdout]).toEqual([0, 'hello'])
    printer.io.interrupt()
    expect(await printer.code).toBe(0)
  })

  test('and no other', async () => {
    expect(await failure(url)).toEqual([1, expect.stringContaining('no trusted authority has signed the certificate')])
    expect(await failure('--pin', '00'.repeat(32), url)).toEqual([1, expect.stringContaining('not the pinned')])
  })

  test('and explains what is neither a relay nor a key', async () => {
    expect(await failure('')).toEqual([2, 'derp: read relay "": neither a host nor a URL\n'])
    expect(await failure(mapOf())).toEqual([
      2,
      expect.stringMatching(/map\.json is a file; give a DERP map with --map/),
    ])
    expect(await failure('--to', 'abc', url)).toEqual([2, expect.stringMatching(/^derp: use --to abc: .*; the other/)])
    expect(await failure('--ca', '/absent', url)).toEqual([2, expect.stringContaining('; name a readable PEM file')])
  })
})

test.each<[text: string, args: () => string[]]>([
  ['use --pin xy: not a SHA-256 of 64 hex digits; derp map make prints it', () => ['--pin', 'xy', url]],
  [
    'use --pin: http://127.0.0.1/derp is not https, so there is no certificate',
    () => ['--pin', pin, 'http://127.0.0.1'],
  ],
  ['use --region: relay.test is not a map', () => ['--region', 'lab', 'relay.test']],
  ['use --region x: the map has lab, far', () => ['--map', mapOf(), '--region', 'x']],
  ['use --map: it has lab, far; choose one with --region', () => ['--map', mapOf()]],
  ['use --pin: with a map, CertName of the node pins its certificate', () => ['--map', mapOf(), '--pin', pin]],
  ['choose a relay: both relay.test and --map were given', () => ['--map', mapOf(), 'relay.test']],
  ['neither a relay nor --map was given; give its host or URL, such as relay.example or http://127', () => []],
  ['not a regular file', () => ['--file', directory, '--to', `nodekey:${'12'.repeat(32)}`, url]],
  ['use --no-ack: only for standard input, which --to sends', () => ['--no-ack', url]],
  ['no such file', () => ['--file', path('absent'), '--to', `nodekey:${'12'.repeat(32)}`, url]],
  ['it exists', () => ['--file', caFile, url]],
])('derp cat refuses: %s', async (text, args) => {
  expect(await failure(...args())).toEqual([2, expect.stringContaining(text)])
})

test('derp cat --no-ack sends to a program that acknowledges nothing', async () => {
  const peer = new Client(NodePrivateKey.generate(), url, { pin })
  while ((await peer.recv()).type !== 'serverInfo');
  const sender = cat(['--pin', pin, '--no-ack', '--to', `${peer.selfPublicKey()}`, url], { stdin: 'x'.repeat(40_000) })
  expect(await sender.code, sender.io.stderr).toBe(0)
  const sizes: number[] = []
  for await (const message of peer) {
    if (message.type === 'receivedPacket') sizes.push(message.data.length)
    if (sizes.length === 3) break
  }
  expect(sizes).toEqual([16_384, 16_384, 7_232])
  await peer.close()
})

describe('derp cat --file', () => {
  test.each([0, 1, 1_000_000])('transfers %d bytes and compares the hash', async length => {
    const data = payload(length, 7)
    const [from, to] = [write(`from-${length}`, data), path(`to-${length}`)]
    const receiver = cat(['--ca', caFile, '--file', to, url], { columns: 80 })
    const sender = cat(['--ca', caFile, '--file', from, '--to', await receiver.key(), url])
    expect([await sender.code, await receiver.code]).toEqual([0, 0])
    expect(Buffer.compare(readFileSync(to), data)).toBe(0)
    const hash = createHash('sha256').update(data).digest('hex')
    expect(sender.io.stderr).toMatch(
      new RegExp(`^sent .* in .* s, .*; the receiver has the same SHA-256 ${hash}$`, 'm'),
    )
    expect(receiver.io.stderr).toContain(`the same SHA-256 ${hash} as at the sender`)
    if (length > 0) expect(receiver.io.stderr).toMatch(/received .* of .* \(\d+ %\), /)
    expect(existsSync(`${to}.part`)).toBe(false)
  })

  test('is printed by a receiver without it, which goes on', async () => {
    const printer = cat(['--ca', caFile, url])
    const to = ['--ca', caFile, '--to', await printer.key(), url]
    expect(await cat(['--file', write('small', 'file '), ...to]).code).toBe(0)
    expect(await cat(to, { stdin: 'text' }).code).toBe(0)
    expect(printer.io.stdout).toBe('file text')
    printer.io.interrupt()
    expect(await printer.code).toBe(0)
  })

  test('refuses what is not a file, and an interrupted one is not kept', async () => {
    const receiver = cat(['--ca', caFile, '--file', path('never'), url])
    const sender = cat(['--ca', caFile, '--to', await receiver.key(), url], { stdin: 'text' })
    expect(await sender.code).toBe(1)
    expect(sender.io.stderr).toContain('the receiver waits for a file: use --file here as well')
    receiver.io.interrupt()
    expect(await receiver.code).toBe(1)
    expect([existsSync(path('never')), existsSync(path('never.part'))]).toEqual([false, false])
  })
})
