/** Updates the transcripts in docs/operate/. */

import { writeFileSync } from 'node:fs'
import { TOOL_SCENES } from './tool-scenes.ts'
import { recordTranscripts, TOOL_OUTPUT } from './tool-transcripts.ts'
import { pagesWithTranscripts, withTranscripts } from './transcript-pages.ts'

const pages = withTranscripts(TOOL_OUTPUT, pagesWithTranscripts(TOOL_OUTPUT), await recordTranscripts(TOOL_SCENES))
for (const [path, text] of pages) writeFileSync(path, text)
