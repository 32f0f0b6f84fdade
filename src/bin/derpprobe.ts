#!/usr/bin/env node
import { main } from '../cli/derpprobe/derpprobe.ts'

process.exitCode = await main(process.argv.slice(2))
