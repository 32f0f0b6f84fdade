import { expect, test } from 'vitest'
import { manPage } from './man-page.ts'

test('manPage keeps the lines of a help text, and makes none of them a request', () => {
  const page = manPage({
    command: 'derper',
    section: 8,
    version: '1.2.3',
    summary: 'relay',
    help: "Usage:\n  -a string\n\tserver address\n.config\n'x' \\n\n",
  })
  expect(page.split('\n')).toEqual([
    '.TH DERPER 8 "" "derphttp 1.2.3"',
    '.SH NAME',
    'derper \\- relay',
    '.SH DESCRIPTION',
    '.nf',
    'Usage:',
    '  \\-a string',
    '        server address',
    '\\&.config',
    "\\&'x' \\en",
    '.fi',
    '',
  ])
})
