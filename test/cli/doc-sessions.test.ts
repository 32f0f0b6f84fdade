/** What pages show of relays, real relays say. */

import { expect, test } from 'vitest'
import { RELAY_SESSION, recordSessions, SESSIONS } from '../../scripts/sessions/sessions.ts'
import { pagesWithTranscripts, withTranscripts } from '../../scripts/transcript-pages.ts'

test('docs/ matches what relays say (to update: node scripts/write-sessions.ts)', async () => {
  const pages = pagesWithTranscripts(RELAY_SESSION)
  expect(pages.size).toBeGreaterThan(0)
  expect(pages).toEqual(withTranscripts(RELAY_SESSION, pages, await recordSessions(SESSIONS)))
})
