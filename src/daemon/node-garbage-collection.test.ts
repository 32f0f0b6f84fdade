import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { garbageCollectionFlags } from './node-garbage-collection.ts'

const FILE = join(import.meta.dirname, 'node-garbage-collection.ts')

test('garbageCollectionFlags returns only flags that each V8 knows', () => {
  expect(garbageCollectionFlags('12.4.254.21-node.33')).toEqual([])
  expect(garbageCollectionFlags('13.6.233.17-node.37')).toHaveLength(1)
  expect(garbageCollectionFlags('14.1.146.11-node.14')).toHaveLength(1)
  expect(garbageCollectionFlags('14.6.202.34-node.34')).toHaveLength(2)
  expect(garbageCollectionFlags('15.0.1')).toHaveLength(2)
})

test('tuneV8 has old buffers collected without collections of the whole heap', async () => {
  const script = `
    import { PerformanceObserver, constants } from 'node:perf_hooks'
    import { setImmediate } from 'node:timers/promises'
    const { tuneV8 } = await import(${JSON.stringify(FILE)})
    if (process.argv[1] === 'tuned') tuneV8()
    let major = 0
    const count = list => {
      for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) major++
    }
    const observer = new PerformanceObserver(count)
    observer.observe({ entryTypes: ['gc'] })
    const buffers = []
    for (let n = 0; n < 40_000; n++) {
      buffers[n % 1_000] = new Uint8Array(65_536)
      if (n % 20 === 0) await setImmediate()
    }
    await setImmediate()
    process.stdout.write(String(major))`
  const collections = async (mode: string) => {
    // Without the collector's helper threads and timers the count does not depend on machine load.
    const args = ['--single-threaded-gc', '--no-memory-reducer', '--input-type=module', '-e', script, mode]
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args)
    expect(stderr).toBe('')
    return Number(stdout)
  }
  expect(await collections('tuned')).toBeLessThan((await collections('plain')) / 2)
})
