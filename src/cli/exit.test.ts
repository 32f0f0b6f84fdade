import { afterEach, expect, test, vi } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { leave } from './exit.ts'

const { exitCode } = process
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = exitCode
})

/** How a process ends that still has these resources after the grace period, one list for each look. */
function endOf(...looks: string[][]): readonly unknown[] {
  const done: unknown[] = []
  class Ended extends Error {}
  const record = (what: unknown) => {
    done.push(what)
    throw new Ended()
  }
  let at = 0
  vi.spyOn(process, 'getActiveResourcesInfo').mockImplementation(() => looks[at++] ?? looks.at(-1) ?? [])
  vi.spyOn(process, 'removeAllListeners').mockImplementation(name => {
    done.push(`no listeners for ${String(name)}`)
    return process
  })
  vi.spyOn(process, 'exit').mockImplementation(() => record('exit') as never)
  vi.spyOn(process, 'kill').mockImplementation((_, signal) => record(signal) as never)
  const clock = new FakeClock()
  leave(3, clock)
  clock.advance(499)
  expect([process.exitCode, done]).toEqual([3, []])
  expect(() => clock.advance(1 + 250)).toThrow(Ended)
  return done
}

test('leave exits while something keeps the process alive', () => {
  expect(endOf(['TCPSocketWrap'])).toEqual(['exit'])
})

test('leave waits for work of the thread pool that is not stuck, so that the exit code is not lost', () => {
  expect(endOf(['FSReqCallback'], ['Timeout', 'FSReqCallback'], ['Timeout'])).toEqual(['exit'])
})

test('leave ends the process with a signal when an exit would wait for DNS', () => {
  expect(endOf(['Timeout', 'GetAddrInfoReqWrap'])).toEqual(['no listeners for SIGTERM', 'SIGTERM'])
})
