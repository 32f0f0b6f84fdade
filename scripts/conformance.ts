/** Runs the conformance suite by hand on any relay: `npm run conformance -- --url http://127.0.0.1:3340/derp`. */

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type ConformanceCase, isApplicable } from '../test/conformance/case.ts'
import { ALL_CASES } from '../test/conformance/cases/index.ts'
import { Target, type TargetOptions } from '../test/conformance/target.ts'

const USAGE = `usage: npm run conformance -- --url URL [options]

  --url URL          the relay's DERP endpoint, http or https
  --websocket        use DERP over WebSocket
  --like original    expect the original's behaviour where ours differs (docs/understand/differences.md); default: ours
  --mesh-key-file F  the relay's mesh key, for cases that need privileges
  --ca-file F        CA of the relay's certificate
  --stun-port N      the relay's STUN port
  --debug            the relay serves /debug/ to this host; no other clients may use it meanwhile
  --only TEXT        cases whose name contains TEXT
  --quick            skip cases that take longer than 5 s
`

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    websocket: { type: 'boolean', default: false },
    like: { type: 'string', default: 'ours' },
    'mesh-key-file': { type: 'string' },
    'ca-file': { type: 'string' },
    'stun-port': { type: 'string' },
    debug: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** Runs one case; resolves to the failure, if any. */
async function failureOf(one: ConformanceCase, options: TargetOptions): Promise<string | undefined> {
  const target = new Target(options)
  try {
    await one.run(target)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.split('\n')[0] : String(error)
  } finally {
    target.closeAll()
  }
}

async function main(): Promise<number> {
  if (values.help || values.url === undefined || (values.like !== 'ours' && values.like !== 'original')) {
    process.stdout.write(USAGE)
    return values.help ? 0 : 2
  }
  const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path, 'utf8').trim())
  const options: TargetOptions = {
    url: values.url,
    carriage: values.websocket ? 'websocket' : 'raw',
    like: values.like,
    meshKey: read(values['mesh-key-file']),
    ca: read(values['ca-file']),
    stunPort: values['stun-port'] === undefined ? undefined : Number(values['stun-port']),
    debug: values.debug,
  }
  const target = new Target(options)
  const cases = ALL_CASES.filter(one => one.id.includes(values.only) && isApplicable(one, target))
  let failed = 0
  for (const one of cases.filter(({ slow }) => !(values.quick && slow))) {
    const failure = await failureOf(one, options)
    if (failure !== undefined) failed++
    const result = failure === undefined ? 'ok  ' : 'FAIL'
    process.stdout.write(
      `${result}  ${one.id}  ${one.clauses.join(' ')}${failure === undefined ? '' : `\n      ${failure}`}\n`,
    )
  }
  const left = ALL_CASES.length - cases.length
  process.stdout.write(
    `${cases.length - failed} of ${cases.length} cases passed; ${left} do not apply or were skipped\n`,
  )
  return failed === 0 ? 0 : 1
}

process.exitCode = await main()
