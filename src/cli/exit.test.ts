import { afterEach, expect, test, vi } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { leave } from './exit.ts'

const { exitCode } = process
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = exitCode
})

/** What is done to a process that waits for `resources` half a second after its work is done. */
function endOf(resources: string[]): readonly unknown[] {
  const done: unknown[] = []
  class Ended extends Error {}
  const note = (what: unknown) => {
    done.push(what)
    throw new Ended()
  }
  vi.spyOn(process, 'getActiveResourcesInfo').mockReturnValue(resources)
  vi.spyOn(process, 'removeAllListeners').mockImplementation(name => {
    done.push(`no listeners for ${String(name)}`)
    return process
  })
  vi.spyOn(process, 'exit').mockImplementation(() => note('exit') as never)
  vi.spyOn(process, 'kill').mockImplementation((_, signal) => note(signal) as never)
  const clock = new FakeClock()
  leave(3, clock)
  clock.advance(499)
  expect([process.exitCode, done]).toEqual([3, []])
  expect(() => clock.advance(1)).toThrow(Ended)
  return done
}

test('leave exits when something holds the process up', () => {
  expect(endOf(['TCPSocketWrap'])).toEqual(['exit'])
})

test('leave ends the process by a signal when an exit would wait for DNS', () => {
  expect(endOf(['Timeout', 'GetAddrInfoReqWrap'])).toEqual(['no listeners for SIGTERM', 'SIGTERM'])
})
