/** Generates the documentation of flags in docs/operate/, and the schemas of `derper` and `derpprobe`. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configSchema, probeSchema, withFlagTables, withProbeFlags } from './flag-docs.ts'

const docs = join(import.meta.dirname, '../docs')
const flags = join(docs, 'operate/flags.md')
writeFileSync(flags, withFlagTables(readFileSync(flags, 'utf8')))
writeFileSync(join(docs, 'derper.schema.json'), configSchema())
const probe = join(docs, 'operate/probe.md')
writeFileSync(probe, withProbeFlags(readFileSync(probe, 'utf8')))
writeFileSync(join(docs, 'derpprobe.schema.json'), probeSchema())
