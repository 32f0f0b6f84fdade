import { expect, test } from 'vitest'
import { parseFlags } from '../../go-flags.ts'
import { DERPER_FLAGS } from '../derper-flags.ts'
import { descriptorNotes, listenSettings } from './listen-settings.ts'
import { relaySettings } from './relay-settings.ts'

const ADDRESS = { host: '127.0.0.1', port: 0 }

function parsed(...args: string[]) {
  const flags = parseFlags(DERPER_FLAGS, args)
  if (flags.help) throw new Error('unexpected -help')
  return flags
}

const settings = (...args: string[]) => listenSettings(parsed(...args).values, ADDRESS, 1)

test('listenSettings by default limits only connections, by file descriptors (P-106, P-107, P-109)', () => {
  expect(settings()).toEqual({
    address: ADDRESS,
    limits: {
      rate: undefined,
      sourceRate: undefined,
      maxConnections: process.platform === 'linux' ? expect.any(Number) : undefined,
      maxConnectionsPerSource: undefined,
    },
    acceptTimeoutMs: 10_000,
    maxHeaderBytes: 16_384,
    tlsRecordBytes: 4_096,
    tcpKeepAliveMs: 600_000,
    trustedProxies: undefined,
    proxyProtocol: false,
  })
})

test("listenSettings defaults the burst to one second's worth (P-108)", () => {
  expect(settings('-accept-connection-limit=2.5').limits.rate).toEqual({ perSecond: 2.5, burst: 3 })
  const both = ['-accept-connection-limit=2.5', '-accept-connection-burst=9223372036854775807']
  expect(settings(...both).limits.rate).toEqual({ perSecond: 2.5, burst: 2 ** 63 })
  expect(settings('-accept-connection-limit-per-source=0.1').limits.sourceRate).toEqual({ perSecond: 0.1, burst: 1 })
})

test.each([
  ['0', 15_000],
  ['-1s', undefined],
  ['1ms', 1_000],
  ['20500ms', 21_000],
])('listenSettings reads -tcp-keepalive-time %s as %s ms (P-106)', (text, ms) => {
  expect(settings(`-tcp-keepalive-time=${text}`).tcpKeepAliveMs).toBe(ms)
})

test.each([
  ['accept-connection-limit=0', '"0": not above 0; use +Inf for no limit'],
  ['accept-connection-limit=-Inf', '"-Infinity": not above 0; use +Inf for no limit'],
  ['accept-connection-burst=-1', '"-1": below 0'],
  ['accept-connection-limit-per-source=-1', '"-1": not above 0; use +Inf for no limit'],
  ['accept-connection-burst-per-source=-1', '"-1": below 0'],
  ['max-connections=-1', '"-1": below 0'],
  ['max-connections-per-source=-1', '"-1": below 0'],
  ['max-header-bytes=1023', '"1023": below 1024'],
  ['max-header-bytes=1048577', '"1048577": above 1048576'],
  ['tls-record-bytes=511', '"511": below 512'],
  ['tls-record-bytes=16385', '"16385": above 16384'],
  ['login-timeout=0', '"0s": not above 0 and at most 1h'],
  ['login-timeout=61m', '"1h1m": not above 0 and at most 1h'],
  ['tcp-keepalive-time=10h', '"10h": above 9h6m7s, the maximum of TCP'],
])('listenSettings refuses -%s', (flag, reason) => {
  const name = flag.slice(0, flag.indexOf('='))
  expect(() => settings(`-${flag}`)).toThrow(`set flag -${name} to ${reason}`)
})

test.each([
  ['max-clients=-1', '"-1": below 0'],
  ['max-clients=16777217', '"16777217": above 16777216'],
  ['login-timeout=0', '"0s": not above 0 and at most 1h'],
  ['ping-clients=-1s', '"-1s": not from 0 to 1h'],
  ['tcp-write-timeout=61m', '"1h1m": not from 0 to 1h'],
])('relaySettings refuses -%s', async (flag, reason) => {
  const name = flag.slice(0, flag.indexOf('='))
  await expect(relaySettings(parsed(`-${flag}`).values)).rejects.toThrow(`set flag -${name} to ${reason}`)
})

test('descriptorNotes warns only if the open files limit restricts connections (P-109)', () => {
  const notes = (flags: string[], budget: number | undefined) => descriptorNotes(parsed(...flags).values, 1, budget)
  expect(notes([], 960)).toEqual([
    'the open files limit allows only 960 connections; raise it with LimitNOFILE= (systemd), --ulimit (Docker) or ulimit -n',
  ])
  expect(notes(['-max-connections=5000'], 4_096)).toEqual([
    expect.stringMatching(/^-max-connections is 5000, but the open files limit allows 4096 connections; raise it/),
  ])
  expect(notes(['-max-connections=500'], 960)).toEqual([])
  expect(notes([], 1_000)).toEqual([])
  expect(notes([], undefined)).toEqual([])
})
