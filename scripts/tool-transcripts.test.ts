import { expect, test } from 'vitest'
import { TOOL_SCENES } from './tool-scenes.ts'
import { pagesWithTranscripts, recordTranscripts, withTranscripts } from './tool-transcripts.ts'

test('docs/operate matches the tools’ output (to update: node scripts/write-tool-transcripts.ts)', async () => {
  const pages = pagesWithTranscripts()
  expect(pages).toEqual(withTranscripts(pages, await recordTranscripts(TOOL_SCENES)))
})

test('withTranscripts requires a marker for each transcript', () => {
  expect(() => withTranscripts(new Map([['page', '# Nothing\n']]), new Map([['a', 'x']]))).toThrow(
    'write transcripts: no marker for a',
  )
  const place = '<!-- Transcript b -->\n```console\n```'
  expect(() => withTranscripts(new Map([['page', place]]), new Map())).toThrow('write transcript b: no such scene')
})
