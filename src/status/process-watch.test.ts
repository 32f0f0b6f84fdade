import { closeSync, openSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ProcessWatch } from './process-watch.ts'

const onLinux = process.platform === 'linux'

test('ProcessWatch reports this process, and constants stay constant (P-194)', async () => {
  let wallMs = Date.UTC(2026, 0, 1)
  const watch = new ProcessWatch(() => wallMs)
  const first = await watch.read()
  wallMs += 3_600_000
  const second = await watch.read()
  expect(second.startUnixSeconds).toBe(first.startUnixSeconds)
  expect(first.startUnixSeconds).toBeLessThan(Date.UTC(2026, 0, 1) / 1_000)
  expect(second.residentBytesAtStart).toBe(first.residentBytesAtStart)
  expect(first.residentBytesAtStart).toBeGreaterThan(1 << 20)
  expect(second.residentBytes).toBeGreaterThan(1 << 20)
  expect(second.uptimeSeconds).toBeGreaterThan(first.uptimeSeconds)
  expect(second.cpuSeconds).toBeGreaterThanOrEqual(first.cpuSeconds)
  expect(first.cpuSeconds).toBeGreaterThan(0)
})

test.runIf(onLinux)('ProcessWatch counts open descriptors and reads limits and mapped memory (P-194)', async () => {
  const watch = new ProcessWatch(() => 0)
  const descriptors: number[] = []
  const before = await watch.read()
  for (let n = 0; n < 50; n++) descriptors.push(openSync('/dev/null', 'r'))
  try {
    const after = await watch.read()
    // Other tests in this process may open and close some meanwhile.
    expect(after.openFiles - before.openFiles).toBeGreaterThan(25)
    expect(after.maxOpenFiles).toBeGreaterThanOrEqual(after.openFiles)
    expect(after.virtualBytes).toBeGreaterThanOrEqual(after.residentBytes)
    expect(after.maxVirtualBytes).toBeGreaterThanOrEqual(after.virtualBytes)
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor)
  }
})
