import { expect, test } from 'vitest'
import { FrameType, frameTypeName } from './frame-type.ts'

test('FrameType has the sixteen wire numbers (P-006)', () => {
  expect(FrameType).toEqual({
    ServerKey: 1,
    ClientInfo: 2,
    ServerInfo: 3,
    SendPacket: 4,
    RecvPacket: 5,
    KeepAlive: 6,
    NotePreferred: 7,
    PeerGone: 8,
    PeerPresent: 9,
    ForwardPacket: 10,
    WatchConns: 16,
    ClosePeer: 17,
    Ping: 18,
    Pong: 19,
    Health: 20,
    Restarting: 21,
  })
})

test('frameTypeName names every type, unknown ones by number', () => {
  expect([frameTypeName(FrameType.SendPacket), frameTypeName(0), frameTypeName(0xee)]).toEqual([
    'SendPacket',
    '0x00',
    '0xee',
  ])
})
