import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TOOL_SCENES } from './tool-scenes.ts'
import { recordTranscripts, withTranscripts } from './tool-transcripts.ts'

test('docs/tools.md matches the tools’ output (to update: node scripts/write-tool-transcripts.ts)', async () => {
  const text = readFileSync(join(import.meta.dirname, '../docs/tools.md'), 'utf8')
  expect(text).toBe(withTranscripts(text, await recordTranscripts(TOOL_SCENES)))
})

test('withTranscripts requires a marker for each transcript', () => {
  expect(() => withTranscripts('# Nothing\n', new Map([['a', 'x']]))).toThrow('write transcripts: no marker for a')
  const place = '<!-- Transcript b -->\n```console\n```'
  expect(() => withTranscripts(place, new Map())).toThrow('write transcript b: no such scene')
})
