/**
 * What test pages and their workers run: cases of the suite by name, and the two ends of a transfer.
 *
 * Only web APIs; bundled by the tests.
 */

import { Client, type DerpError, NodePrivateKey } from '../../../src/entries/browser.ts'
import type { CaseEnvironment } from '../cases/case.ts'
import { CASES } from '../cases/index.ts'
import { receiveFile, sendFile } from './transfer.ts'
import { type WatchedClient, watchedClient } from './watched-client.ts'

/** What the tests call in a page. */
export interface TestPage {
  /** Rejects with the reason when the case fails. */
  runCase(name: string, environment: CaseEnvironment): Promise<void>
  /** The same in a worker of the page. */
  runCaseInWorker(name: string, environment: CaseEnvironment): Promise<void>
  /** What a client gets first: `serverInfo`, or the code of an error. */
  loginOutcome(url: string, token?: string): Promise<string>
  receiveFile: typeof receiveFile
  sendFile: typeof sendFile
  /** Makes {@link watched}. */
  watchClient(...args: Parameters<typeof watchedClient>): Promise<void>
  watched?: WatchedClient
}

/** An order to a worker, and its answer: the reason of a failure. */
interface WorkerScope {
  readonly Worker?: new (url: URL, options: { type: 'module' }) => WorkerScope & { terminate(): void }
  readonly document?: object
  onmessage: ((event: { readonly data: unknown }) => void) | null
  onerror: ((event: { readonly message?: string }) => void) | null
  postMessage(message: unknown): void
}

declare global {
  var testPage: TestPage
}

const scope = globalThis as unknown as WorkerScope

async function runCase(name: string, environment: CaseEnvironment): Promise<void> {
  const found = CASES.find(each => each.name === name)
  if (found === undefined) throw new Error(`run case "${name}": there is none`)
  await found.run(environment)
}

function runCaseInWorker(name: string, environment: CaseEnvironment): Promise<void> {
  const { Worker } = scope
  if (Worker === undefined) throw new Error('run case in worker: there are no workers')
  const worker = new Worker(new URL(import.meta.url), { type: 'module' })
  return new Promise<void>((resolve, reject) => {
    worker.onmessage = ({ data }) => (data === undefined ? resolve() : reject(new Error(data as string)))
    worker.onerror = ({ message }) => reject(new Error(message ?? 'the worker failed'))
    worker.postMessage([name, environment])
  }).finally(() => worker.terminate())
}

async function loginOutcome(url: string, token?: string): Promise<string> {
  await using client = new Client(await NodePrivateKey.generate(), url, { token })
  try {
    return (await client.recv()).type
  } catch (error) {
    return String((error as DerpError).code)
  }
}

/** Makes the page, or the worker of one, ready for orders. */
export function start(): void {
  if (scope.document === undefined) serveAsWorker()
  else globalThis.testPage = createPage()
}

function createPage(): TestPage {
  const page: TestPage = {
    runCase,
    runCaseInWorker,
    loginOutcome,
    receiveFile,
    sendFile,
    async watchClient(...args) {
      page.watched = await watchedClient(...args)
    },
  }
  return page
}

function serveAsWorker(): void {
  scope.onmessage = ({ data }) => {
    const [name, environment] = data as [string, CaseEnvironment]
    runCase(name, environment).then(
      () => scope.postMessage(undefined),
      error => scope.postMessage(String(error)),
    )
  }
}
