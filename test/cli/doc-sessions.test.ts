/** What pages show of relays, real relays say. To update the pages: node scripts/write-sessions.ts */

import { expect, test } from 'vitest'
import { RELAY_SESSION, recordSession, SESSIONS } from '../../scripts/sessions/sessions.ts'
import { pagesWithTranscripts, transcriptsIn } from '../../scripts/transcript-pages.ts'

const shown = transcriptsIn(RELAY_SESSION, pagesWithTranscripts(RELAY_SESSION))

test('pages show each session, and no other', () => {
  expect([...shown.keys()].toSorted()).toEqual(Object.keys(SESSIONS).toSorted())
})

test.for(Object.entries(SESSIONS))('%s is what relays say', async ([name, session]) => {
  expect(await recordSession(session)).toBe(shown.get(name))
})
