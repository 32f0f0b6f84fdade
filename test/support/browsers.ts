/** The browser of the client's suite: Chromium, or Firefox with `DERPHTTP_BROWSER=firefox`. */

import { hasChromium, launchChromium } from './chromium.ts'
import { launchFirefox, lookForFirefox } from './firefox.ts'

/** What the suite needs of a page, whichever library drives it. */
export interface DrivenPage {
  setDefaultTimeout(ms: number): void
  goto(url: string): Promise<unknown>
  waitForFunction(fn: () => boolean): Promise<unknown>
  evaluate<Result, Argument>(fn: (argument: Argument) => Result, argument?: Argument): Promise<Awaited<Result>>
  close(): Promise<void>
}

/** What opens pages that share storage. */
export interface DrivenContext {
  newPage(): Promise<DrivenPage>
  close(): Promise<void>
}

export interface DrivenBrowser extends DrivenContext {
  newContext(): Promise<DrivenContext>
}

interface TestBrowser {
  readonly name: string
  readonly isThere: boolean
  launch(): Promise<DrivenBrowser>
}

export const BROWSER: TestBrowser =
  process.env['DERPHTTP_BROWSER'] === 'firefox'
    ? { name: 'Firefox', isThere: lookForFirefox(), launch: launchFirefox }
    : { name: 'Chromium', isThere: hasChromium, launch: launchChromium }
