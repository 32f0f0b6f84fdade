/** Chromium for tests: Debian's, driven by playwright-core. */

import { accessSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium } from 'playwright-core'
import { freePort } from './relays.ts'

/** Debian's package `chromium`; `CHROMIUM` names another one. */
const PATH = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** A name that leads to loopback, but not by its name: pages from there are no secure context and have no WebCrypto. */
export const INSECURE_HOST = 'page.test'

/** Whether Chromium is there. Without it its tests are skipped with one line; in CI that is a failure. */
export const hasChromium: boolean = lookForChromium()

function lookForChromium(): boolean {
  try {
    accessSync(PATH)
    return true
  } catch {
    if (process.env['CI']) throw new Error(`find ${PATH}: not installed, and CI may skip nothing`)
    process.stderr.write('tests in Chromium are skipped: it is not installed\n')
    return false
  }
}

// Its sandbox needs rights that containers and root do not have.
const ARGS = ['--no-sandbox', `--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`]

/** Starts it without a window. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: PATH, args: ARGS })
}

/** A browser as people have it: a page behind another one is hidden, its timers are held back, and it may be frozen. */
export interface NaturalBrowser extends AsyncDisposable {
  readonly context: BrowserContext
}

/** Starts one. Driven the usual way all pages count as visible and nothing is held back. */
export async function launchNaturalChromium(): Promise<NaturalBrowser> {
  const port = await freePort()
  const browser = await chromium.launch({
    executablePath: PATH,
    args: [...ARGS, `--remote-debugging-port=${port}`],
    ignoreDefaultArgs: [
      '--disable-background-timer-throttling',
      '--disable-renderer-backgrounding',
      '--disable-backgrounding-occluded-windows',
    ],
  })
  const driver = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true })
  const [context] = driver.contexts()
  if (context === undefined) throw new Error('start Chromium: it has no profile')
  return { context, [Symbol.asyncDispose]: () => browser.close() }
}
