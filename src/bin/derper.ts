#!/usr/bin/env node
import { main } from '../cli/derper.ts'

process.exitCode = await main(process.argv.slice(2))
