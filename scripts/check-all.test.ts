import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'check-all-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs check-all.ts with these package.json scripts; returns exit code and output lines without times. */
function run(scripts: Record<string, string>, ...command: string[]): [number | null, string[]] {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts }))
  const args = [join(import.meta.dirname, 'check-all.ts'), ...command]
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  return [
    status,
    stdout
      .replaceAll(/\d+\.\d s$/gm, 'n s')
      .trimEnd()
      .split('\n'),
  ]
}

test('check-all: runs all check: scripts and prints their output', () => {
  const [status, lines] = run({ 'check:a': 'echo fine; echo warned >&2', start: 'exit 7' })
  expect([status, lines[0], lines.slice(1).sort()]).toEqual([0, 'check:a: passed in n s', ['  fine', '  warned']])
})

test('check-all: fails if a script fails, and names it last', () => {
  const [status, lines] = run({ 'check:a': 'echo broken; exit 3', 'check:b': 'exit 0' }, 'sh', '-c', 'echo 1 passed')
  expect([status, lines.at(-1)]).toEqual([1, 'failed: check:a'])
  expect(lines).toContain('check:a: FAILED in n s')
  expect(lines).toContain('  broken')
})

test('check-all: fails if the command fails', () => {
  const [status, lines] = run({ 'check:a': 'exit 0' }, 'sh', '-c', 'echo 1 failed; exit 1')
  expect([status, lines.slice(-2)]).toEqual([1, ['1 failed', 'failed: sh']])
})

test('check-all: prints the command’s last line last, even if scripts take longer', () => {
  const command = ['sh', '-c', 'printf "first\\nsec"; printf "ond\\n1 pas"; printf "sed\\n"; echo > done']
  const [status, lines] = run({ 'check:a': 'until [ -e done ]; do :; done; echo fine' }, ...command)
  expect([status, lines]).toEqual([0, ['first', 'second', 'check:a: passed in n s', '  fine', '1 passed']])
})
