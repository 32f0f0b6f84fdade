/** Runs the suite of `derphttp/browser` against the environment given as JSON; prints each case that fails. */

import { CASES } from '../browser/cases/index.ts'

const environment = JSON.parse(process.argv[2] ?? '')
const results: (readonly [name: string, result: string])[] = []
for (const each of CASES) {
  const { name } = each
  const result = await each.run(environment).then(
    () => 'passed',
    error => String(error),
  )
  results.push([name, result])
}
process.stdout.write(JSON.stringify(results))
process.exit()
