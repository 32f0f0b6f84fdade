/**
 * Has the Go programs built while the tests that need none of them run: from nothing it takes minutes.
 *
 * A global setup of vitest. Tests that come too early wait for what they need.
 */

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { acmeTools, goTools, hasGo, stockDaemon } from './go-tools.ts'

/** Begins to build, out of the tests' way; what it returns is called when all tests have ended. */
export default function prebuild(): (() => void) | undefined {
  if (!hasGo) return undefined
  const script = fileURLToPath(import.meta.url)
  const builder = spawn('nice', [process.execPath, script], { stdio: 'inherit', detached: true })
  return () => {
    const { pid, exitCode } = builder
    // With it go the compilers that it has started.
    if (pid !== undefined && exitCode === null) process.kill(-pid)
  }
}

if (import.meta.main) {
  await goTools()
  await acmeTools()
  await stockDaemon()
}
