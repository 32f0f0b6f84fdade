/**
 * Bundles our commands, and builds the Go programs in the background while other tests run: a clean build takes minutes.
 *
 * A vitest global setup. Tests that need a Go program wait for it.
 */

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { bundleCommands } from './commands.ts'
import { acmeTools, goTools, hasGo, natsServer, stockDaemon, stockProber } from './go-tools.ts'
import { RUNS_ALL } from './selection.ts'

/** Starts the build at low priority; the returned function is called after all tests. */
export default async function prebuild(): Promise<(() => void) | undefined> {
  await bundleCommands()
  if (!hasGo) return undefined
  const script = fileURLToPath(import.meta.url)
  const builder = spawn('nice', [process.execPath, script], { stdio: 'inherit', detached: true })
  return () => {
    const { pid, exitCode } = builder
    // Also kills the compilers that it has started.
    if (pid !== undefined && exitCode === null) process.kill(-pid)
  }
}

if (import.meta.main) {
  await goTools()
  await stockProber()
  await acmeTools()
  await natsServer()
  if (RUNS_ALL) await stockDaemon()
}
