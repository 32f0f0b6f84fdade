/** Generates the documentation of flags in docs/operating.md and docs/tools.md, and the schemas of `derper` and `derpprobe`. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configSchema, probeSchema, withFlagTables, withProbeFlags } from './flag-docs.ts'

const docs = join(import.meta.dirname, '../docs')
const operating = join(docs, 'operating.md')
writeFileSync(operating, withFlagTables(readFileSync(operating, 'utf8')))
writeFileSync(join(docs, 'derper.schema.json'), configSchema())
const tools = join(docs, 'tools.md')
writeFileSync(tools, withProbeFlags(readFileSync(tools, 'utf8')))
writeFileSync(join(docs, 'derpprobe.schema.json'), probeSchema())
