/**
 * The TypeScript of the pages, run against a relay. A comment above a block tells why it is not run, how it
 * ends, or what it prints.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ENTRIES } from '../../scripts/public-docs.ts'
import { pagesWithSnippets, type Snippet, snippetsOf } from '../../scripts/snippets.ts'
import { Client, NodePrivateKey } from '../../src/entries/derphttp.ts'
import { ListeningRelay } from '../support/listening-relay.ts'

const ROOT = join(import.meta.dirname, '../..')
const FOLDER = join(ROOT, 'build/snippets/run')
/** Relays of the pages: ours takes the place of each. */
const RELAYS = /https:\/\/(?:relay|other)\.example\/derp|http:\/\/127\.0\.0\.1:3340\/derp/g

const snippets = pagesWithSnippets(ROOT).flatMap(page => snippetsOf(page, readFileSync(join(ROOT, page), 'utf8')))

let relay: ListeningRelay
/** What `nodekey:…` is in the pages: it sends back what it gets. */
const echo = { key: '', end: async () => {} }

beforeAll(async () => {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  relay = await ListeningRelay.start()
  const client = new Client(NodePrivateKey.generate(), `http://127.0.0.1:${relay.port}/derp`)
  await client.connect()
  const ended = (async () => {
    for await (const message of client)
      if (message.type === 'receivedPacket') await client.send(message.source, message.data)
  })().catch(() => {})
  echo.key = `${client.selfPublicKey()}`
  echo.end = async () => {
    await client.close()
    await ended
  }
})

afterAll(async () => {
  await echo.end()
  await relay[Symbol.asyncDispose]()
})

/** The program with our sources, our relay and a peer. */
function programOf({ code }: Snippet): string {
  const local = ENTRIES.reduce((text, entry) => {
    const specifier = entry === 'derphttp' ? 'derphttp' : `derphttp/${entry}`
    return text.replaceAll(`'${specifier}'`, `'${pathToFileURL(join(ROOT, `src/entries/${entry}.ts`))}'`)
  }, code)
  return local.replaceAll(RELAYS, `http://127.0.0.1:${relay.port}/derp`).replaceAll('nodekey:…', echo.key)
}

test.concurrent.for(
  snippets
    .filter(({ notRun, language }) => notRun === undefined && language === 'ts')
    .map(snippet => [`${snippet.path}, line ${snippet.place}`, snippet] as const),
)('%s runs', async ([name, snippet]) => {
  const file = join(FOLDER, `${name.replaceAll(/\W+/g, '-')}.ts`)
  writeFileSync(file, programOf(snippet))
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], { cwd: FOLDER })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (snippet.runsUntil !== undefined && output.includes(snippet.runsUntil)) child.kill('SIGKILL')
    })
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  const expected = snippet.runsUntil === undefined ? [0, null] : [null, 'SIGKILL']
  expect([code, signal], output).toEqual(expected)
  expect(output).toContain(snippet.prints ?? '')
})
