/**
 * `npm run check:supply`: is every locked package unchangeable, from the registry, and under a licence of the list?
 *
 * Works offline. Signatures of the registry are checked by `npm audit signatures`, which asks it.
 */

import { readFileSync } from 'node:fs'
import { type LockedPackage, supplyProblems } from './supply.ts'

interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

const { packages }: Lockfile = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const problems = supplyProblems(packages)
for (const problem of problems) console.log(problem)
if (problems.length > 0) process.exitCode = 1
