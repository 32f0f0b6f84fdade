/** Updates what relays say in pages of docs/. */

import { writeFileSync } from 'node:fs'
import { RELAY_SESSION, recordSessions, SESSIONS } from './sessions/sessions.ts'
import { pagesWithTranscripts, withTranscripts } from './transcript-pages.ts'

const pages = withTranscripts(RELAY_SESSION, pagesWithTranscripts(RELAY_SESSION), await recordSessions(SESSIONS))
for (const [path, text] of pages) writeFileSync(path, text)
