/** The inspector, which Node and Bun have in common. */

import { Session } from 'node:inspector/promises'

/** Sampling interval in microseconds. */
const CPU_INTERVAL_US = 1_000

export function cpuProfile(end: Promise<unknown>): Promise<object> {
  return withSession(async session => {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: CPU_INTERVAL_US })
    await session.post('Profiler.start')
    await end
    return (await session.post('Profiler.stop')).profile
  })
}

/** Disconnecting disables what the session enabled. */
export async function withSession<T>(use: (session: Session) => Promise<T>): Promise<T> {
  const session = new Session()
  session.connect()
  try {
    return await use(session)
  } finally {
    session.disconnect()
  }
}
