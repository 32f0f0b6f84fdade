#!/usr/bin/env node
import { main } from '../cli/derp/derp.ts'

process.exitCode = await main(process.argv.slice(2))
