#!/usr/bin/env node
import { main } from '../cli/derper/derper.ts'
import { leave } from '../cli/exit.ts'

leave(await main(process.argv.slice(2)))
