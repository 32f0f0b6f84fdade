/**
 * All commands in one executable without anything beside it: the name that it is called by picks one.
 *
 * `derp` and `derpprobe`, also with a suffix as in `derp-linux-x64`, are those commands; any other name is `derper`.
 */

import { basename } from 'node:path'
import { argv, argv0, execPath } from 'node:process'
import { isMainThread } from 'node:worker_threads'
import { leave } from '../cli/exit.ts'

const OTHERS = /^(derp|derpprobe)(?:-|\.exe$|$)/

async function run(command: string | undefined, args: readonly string[]): Promise<void> {
  if (command === 'derp') {
    const { main } = await import('../cli/derp/derp.ts')
    process.exitCode = await main(args)
  } else if (command === 'derpprobe') {
    const { main } = await import('../cli/derpprobe/derpprobe.ts')
    process.exitCode = await main(args)
  } else {
    // A worker of the relay loads this same file, and is all it is once that is loaded.
    const { main } = await import('../cli/derper/derper.ts')
    if (isMainThread) leave(await main(args))
  }
}

// Such a program has no script, and its own name only here.
argv.splice(0, 2, argv0, execPath)
await run(OTHERS.exec(basename(argv0))?.[1], argv.slice(2))
