/** Generates the documentation of `derper`'s flags: the tables in docs/operating.md, and docs/derper.schema.json. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configSchema, withFlagTables } from './flag-docs.ts'

const docs = join(import.meta.dirname, '../docs')
const operating = join(docs, 'operating.md')
writeFileSync(operating, withFlagTables(readFileSync(operating, 'utf8')))
writeFileSync(join(docs, 'derper.schema.json'), configSchema())
