/** Pages that have the client, for the tests in browsers. */

import { join } from 'node:path'
import { bundleForBrowser } from '../support/browser-bundle.ts'
import type { DrivenPage } from '../support/browsers.ts'
import { INSECURE_HOST } from '../support/chromium.ts'
import { PageServer, type ServedFile } from '../support/page-server.ts'
import { PATIENCE_MS } from '../support/patience.ts'

const MAIN = join(import.meta.dirname, 'page/main.ts')
const HTML =
  '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>test</title><script type="module" src="/main.js"></script>'

/** Where a page comes from: from loopback it has WebCrypto, from elsewhere over plain HTTP it has not. */
export type Origin = 'secure' | 'insecure'

/** Serves the page. */
export async function startPageServer(): Promise<PageServer> {
  const chunks = await bundleForBrowser(`import { start } from ${JSON.stringify(MAIN)}\nstart()`)
  const files = new Map<string, ServedFile>([['/', { type: 'text/html', body: HTML }]])
  for (const { name, code } of chunks) files.set(`/${name}`, { type: 'text/javascript', body: code })
  return PageServer.start(files)
}

/** Opens a page that has `testPage` in its globals. */
export async function openTestPage<Page extends DrivenPage>(
  server: PageServer,
  browser: { newPage(): Promise<Page> },
  origin: Origin = 'secure',
): Promise<Page> {
  const page = await browser.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  const host = origin === 'secure' ? '127.0.0.1' : INSECURE_HOST
  await page.goto(`http://${host}:${server.port}/`)
  await page.waitForFunction(() => globalThis.testPage !== undefined)
  return page
}
