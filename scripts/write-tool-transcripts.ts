/** Updates the transcripts in docs/operate/. */

import { writeFileSync } from 'node:fs'
import { TOOL_SCENES } from './tool-scenes.ts'
import { pagesWithTranscripts, recordTranscripts, withTranscripts } from './tool-transcripts.ts'

const pages = withTranscripts(pagesWithTranscripts(), await recordTranscripts(TOOL_SCENES))
for (const [path, text] of pages) writeFileSync(path, text)
