/** `derper check-config`: checks and prints the configuration. Starts and stores nothing, but probes admission backends. */

import { dirname } from 'node:path'
import { assertPortsDiffer } from '../../daemon/bind.ts'
import { DerperDaemon, wantedPorts } from '../../daemon/daemon.ts'
import type { DaemonLog } from '../../daemon/log/log.ts'
import type { DaemonSettings } from '../../daemon/settings.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import { silentLog } from '../../lib/log.ts'
import { usableMemoryBytes } from '../../lib/node-memory.ts'
import { parseKeyFile } from '../key-file.ts'
import { trustSystem } from '../trust.ts'
import { checkCertificateFiles } from './certificate-files.ts'
import { assertControlFolder } from './control-folder.ts'
import type { DerperFlagValues } from './derper-flags.ts'
import { privateKeyFile, readSettings } from './derper-settings.ts'
import { memoryPlan } from './memory-plan.ts'
import { type PlanLine, planOf } from './plan.ts'
import { assertCanStore } from './storable.ts'

/** The text to print. @throws DerpError for the first problem that would keep `derper` from starting. */
export async function checkConfig(
  flags: DerperFlagValues,
  given: ReadonlySet<string>,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const settings = await readSettings(flags, given, env)
  assertPortsDiffer(wantedPorts(settings))
  await assertControlFolder(settings)
  const key = await privateKeyPlan(flags)
  const certificate = await certificatePlan(settings)
  // Creating the daemon checks the remaining settings.
  const log: DaemonLog = {
    ...silentLog,
    level: settings.log.level,
    counters: { dropped: 0 },
    take() {},
    flush: async () => {},
  }
  const notes = [...settings.notes]
  await trustSystem(env, problem => void notes.push(problem))
  const daemon = await DerperDaemon.create(settings, NodePrivateKey.generate(), log)
  const warnings = await daemon.probeAdmission()
  await daemon.stop()
  const memory: PlanLine = ['memory', memoryPlan(settings, usableMemoryBytes())]
  const lines: PlanLine[] = [['key', key], ...planOf(settings), ...certificate, memory]
  const width = Math.max(...lines.map(([topic]) => topic.length)) + ': '.length
  const text = lines.map(([topic, what]) => `  ${`${topic}:`.padEnd(width)}${what}`)
  const remarks = [...notes.map(note => `  note: ${note}`), ...warnings.map(warning => `  warning: ${warning}`)]
  return `${['derper would run with this configuration:', ...text, ...remarks].join('\n')}\n`
}

/** With the short form, by which logs and `derp doctor` name keys. */
async function privateKeyPlan(flags: DerperFlagValues): Promise<string> {
  const path = privateKeyFile(flags)
  if (path === undefined) return 'a new one at each start'
  const key = parseKeyFile(path)?.publicKey()
  if (key !== undefined) return `${key} ${key.shortString()} from ${path}`
  await assertCanStore(dirname(path), `create key file ${path}`, 'name a file in a writable directory with -c')
  return `a new one, stored in ${path}`
}

async function certificatePlan({ tls }: DaemonSettings): Promise<PlanLine[]> {
  const found = await checkCertificateFiles(tls)
  if (found === undefined) return []
  return [['certificate files', found]]
}
