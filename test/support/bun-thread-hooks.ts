/** Loads modules into all threads of a program on Bun, whose preloaded modules are those of the main thread only. */

import { createRequire } from 'node:module'

const HOOKS = (process.env['DERPHTTP_THREAD_HOOKS'] ?? '').split(':')

interface Threads {
  Worker: new (entry: URL, options: object) => object
}

// What imports the module later gets what is put in here.
const threads = createRequire(import.meta.url)('node:worker_threads') as Threads
const { Worker } = threads
threads.Worker = class extends Worker {
  constructor(entry: URL, options: object) {
    super(entry, { ...options, preload: HOOKS })
  }
}
for (const hook of HOOKS) await import(hook)
