/**
 * A program that asks for admission while it has no file descriptors left, and prints what came of it.
 *
 * Arguments: an admission URL, and a socket of `tailscaled`.
 */

import { closeSync, openSync } from 'node:fs'
import { createAdmission } from '../../src/admission/create-admission.ts'
import { admissionPorts, requestOf } from './admission.ts'

const [url = '', daemonSocket = ''] = process.argv.slice(2)
const answers = [await ask({ url, urlFailOpen: true }), await ask({ daemonSocket })]
process.stdout.write(`${JSON.stringify(answers)}\n`)

/** Whether a client is let in, with descriptors and without, and what is counted. */
async function ask(settings: Parameters<typeof createAdmission>[0]) {
  const ports = admissionPorts()
  const admission = await createAdmission(settings, ports)
  if (admission === undefined) throw new Error('ask for admission: no rules')
  const isLetIn = async () => (await admission.gate.admit(requestOf())).admit
  // What is loaded on first use is loaded now.
  const before = await isLetIn()
  // A kept connection would spare a descriptor.
  admission.close()
  const held = takeAll()
  const starved = await isLetIn()
  for (const descriptor of held) closeSync(descriptor)
  const { overloaded, source_down: sourceDown } = ports.counters.denied
  return { before, starved, overloaded, sourceDown, admittedByFailOpen: ports.counters.admittedByFailOpen }
}

function takeAll(): number[] {
  const held: number[] = []
  for (;;) {
    try {
      held.push(openSync('/dev/null', 'r'))
    } catch {
      return held
    }
  }
}
