import { expect, test } from 'vitest'
import { TOOL_SCENES } from './tool-scenes.ts'
import { recordTranscripts, TOOL_OUTPUT } from './tool-transcripts.ts'
import { pagesWithTranscripts, withTranscripts } from './transcript-pages.ts'

test('docs/operate matches the tools’ output (to update: node scripts/write-tool-transcripts.ts)', async () => {
  const pages = pagesWithTranscripts(TOOL_OUTPUT)
  expect(pages).toEqual(withTranscripts(TOOL_OUTPUT, pages, await recordTranscripts(TOOL_SCENES)))
})

test('withTranscripts requires a marker for each transcript', () => {
  expect(() => withTranscripts(TOOL_OUTPUT, new Map([['page', '# Nothing\n']]), new Map([['a', 'x']]))).toThrow(
    'write transcripts: no marker for a',
  )
  const place = '<!-- Transcript b -->\n```console\n```'
  expect(() => withTranscripts(TOOL_OUTPUT, new Map([['page', place]]), new Map())).toThrow(
    'write transcript b: no such scene',
  )
})
