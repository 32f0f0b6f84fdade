/** Updates the transcripts in docs/tools.md. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TOOL_SCENES } from './tool-scenes.ts'
import { recordTranscripts, withTranscripts } from './tool-transcripts.ts'

const path = join(import.meta.dirname, '../docs/tools.md')
writeFileSync(path, withTranscripts(readFileSync(path, 'utf8'), await recordTranscripts(TOOL_SCENES)))
