/** Updates what relays say in pages of docs/. */

import { writeFileSync } from 'node:fs'
import { RELAY_SESSION, recordSession, SESSIONS } from './sessions/sessions.ts'
import { pagesWithTranscripts, withTranscripts } from './transcript-pages.ts'

const recorded = new Map<string, string>()
for (const [name, session] of Object.entries(SESSIONS)) recorded.set(name, await recordSession(session))
const pages = withTranscripts(RELAY_SESSION, pagesWithTranscripts(RELAY_SESSION), recorded)
for (const [path, text] of pages) writeFileSync(path, text)
