/**
 * Firefox for tests: Debian's, driven by puppeteer-core over WebDriver BiDi.
 *
 * playwright-core asks Firefox for a BiDi command that this release does not know (`emulation.setMediaFeaturesOverride`),
 * before it gives out the first page.
 */

import { accessSync } from 'node:fs'
import puppeteer, { type BrowserContext, type Page } from 'puppeteer-core'
import type { DrivenBrowser, DrivenContext, DrivenPage } from './browsers.ts'
import { INSECURE_HOST } from './chromium.ts'

/** Debian's package `firefox-esr`; `FIREFOX` names another one. */
const PATH = process.env['FIREFOX'] ?? '/usr/bin/firefox-esr'

/** Whether Firefox is there. Without it its tests are skipped with one line; in CI that is a failure. */
export function lookForFirefox(): boolean {
  try {
    accessSync(PATH)
    return true
  } catch {
    if (process.env['CI']) throw new Error(`find ${PATH}: not installed, and CI may skip nothing`)
    process.stderr.write('tests in Firefox are skipped: it is not installed\n')
    return false
  }
}

/** Starts it without a window. */
export async function launchFirefox(): Promise<DrivenBrowser> {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: PATH,
    extraPrefsFirefox: {
      'network.dns.localDomains': INSECURE_HOST,
      // It makes WebSockets to a port that has failed wait longer and longer, which the cases would spend minutes on.
      'network.websocket.delay-failed-reconnects': false,
      // Timers of pages behind another one are held back otherwise.
      'dom.min_background_timeout_value': 4,
    },
  })
  return {
    newPage: async () => drivenPage(await browser.newPage()),
    newContext: async () => drivenContext(await browser.createBrowserContext()),
    close: () => browser.close(),
  }
}

function drivenContext(context: BrowserContext): DrivenContext {
  return {
    newPage: async () => drivenPage(await context.newPage()),
    close: () => context.close(),
  }
}

function drivenPage(page: Page): DrivenPage {
  return {
    setDefaultTimeout: ms => page.setDefaultTimeout(ms),
    goto: url => page.goto(url),
    waitForFunction: fn => page.waitForFunction(fn),
    evaluate: (fn, argument) => page.evaluate(fn as (argument: unknown) => never, argument),
    close: () => page.close(),
  }
}
