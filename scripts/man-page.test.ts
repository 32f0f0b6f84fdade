import { expect, test } from 'vitest'
import { manPage } from './man-page.ts'

const page = (parts: Parameters<typeof manPage>[0]['parts']) =>
  manPage({ command: 'derper', section: 8, date: new Date(0), version: '1.2.3', summary: 'relay', parts }).split('\n')

test('manPage begins with what apropos and the footer show', () => {
  expect(page([])).toEqual([
    '.TH DERPER 8 1970-01-01 "derphttp 1.2.3"',
    '.nh',
    '.ad l',
    '.SH NAME',
    'derper \\- relay',
    '',
  ])
})

test('manPage sets headings, lines, paragraphs and items, and makes none of their text a request', () => {
  const items = [
    { term: '-a', argument: 'string', text: '.x' },
    { term: '-dev', text: "'x' \\n" },
  ]
  const parts = [
    { title: 'SYNOPSIS', lines: ['derper [flags]', '.config'] },
    { title: 'DESCRIPTION', paragraphs: ['One.', 'Two.'] },
    { title: 'Of "TLS"', isNested: true, items },
  ]
  const [, text = ''] = page(parts).join('\n').split('relay\n')
  expect(text).toBe(`.SH "SYNOPSIS"
.nf
derper [flags]
\\&.config
.fi
.SH "DESCRIPTION"
One.
.PP
Two.
.SS "Of \\(dqTLS\\(dq"
.TP
\\fB\\-a\\fR \\fIstring\\fR
\\&.x
.TP
\\fB\\-dev\\fR
\\(aqx\\(aq \\en
`)
})
