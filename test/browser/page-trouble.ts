/** What a page complains of, and what it asks of others than its own relay. */

import type { Page } from 'playwright-core'

/**
 * A list that grows: errors and warnings of the console, uncaught errors, requests to other hosts.
 *
 * @param isExpected whether a message of the console is none.
 */
export function trouble(page: Page, isExpected: (text: string) => boolean = () => false): readonly string[] {
  const found: string[] = []
  page.on('console', message => {
    if (message.type() !== 'error' && message.type() !== 'warning') return
    if (!isExpected(message.text())) found.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', error => found.push(`uncaught: ${error.message}`))
  page.on('request', request => {
    const { protocol, hostname } = new URL(request.url())
    if (protocol !== 'data:' && hostname !== '127.0.0.1') found.push(`request: ${request.url()}`)
  })
  return found
}
