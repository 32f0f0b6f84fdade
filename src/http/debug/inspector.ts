/** The inspector that Node and Bun share. */

import { Session } from 'node:inspector/promises'

/** Microseconds between two looks at what runs. */
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

/** What a session has switched on ends with it. */
export async function withSession<T>(use: (session: Session) => Promise<T>): Promise<T> {
  const session = new Session()
  session.connect()
  try {
    return await use(session)
  } finally {
    session.disconnect()
  }
}
