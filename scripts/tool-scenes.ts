/** Commands whose transcripts are in docs/tools.md. */

import { join } from 'node:path'
import type { Scene, Stage } from './tool-transcripts.ts'

const PIN = /sha256-raw:[0-9a-f]{64}/g
const SHOWN_PIN = `sha256-raw:${'9f86d081884c7d65'.repeat(4)}`
const DATE = /\d{4}-\d\d-\d\d/g

/** Shows the loopback relay as a public one on default ports. */
function asPublic({ selfSigned, stunPort }: Stage) {
  return [
    [new RegExp(`\\s*(derpport|stunport): (${selfSigned.port}|${stunPort})`, 'g'), ''],
    ['127.0.0.1', '203.0.113.7'],
    [PIN, SHOWN_PIN],
    [DATE, '2027-11-29'],
  ] as const
}

const inFolder =
  (...args: string[]) =>
  ({ directory }: Stage) =>
    args.map(arg => (/\.(?:hujson|yaml)$/.test(arg) ? join(directory, arg) : arg))

export const TOOL_SCENES: Readonly<Record<string, Scene>> = {
  'map-make': {
    shown: 'derp map make --for headscale --region-code lab --region-name Lab 203.0.113.7',
    args: ({ selfSigned, stunPort }) =>
      `map make --for headscale --region-code lab --region-name Lab --stun-port ${stunPort} 127.0.0.1:${selfSigned.port}`.split(
        ' ',
      ),
    replace: asPublic,
  },
  'map-lint': { shown: 'derp map lint policy.hujson', args: inFolder('map', 'lint', 'policy.hujson') },
  'map-show': { shown: 'derp map show new.yaml', args: inFolder('map', 'show', 'new.yaml') },
  'map-diff': { shown: 'derp map diff old.yaml new.yaml', args: inFolder('map', 'diff', 'old.yaml', 'new.yaml') },
}
