/** `/bootstrap-dns` of stock derper and of our relay, side by side. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BootstrapNames } from '../../src/http/pages/bootstrap-names.ts'
import { hasGo } from '../support/go-tools.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { type RawResponse, request } from '../support/raw-http.ts'
import { type RunningRelay, startReferenceRelay } from '../support/relays.ts'
import { until } from '../support/settle.ts'

/** A name that every machine can resolve, with and without final dot, and one that none can. */
const PUBLISHED = 'localhost,nobody.invalid'
const UNPUBLISHED = 'localhost.,nobody.invalid/nothing.invalid'

describe.skipIf(!hasGo)('/bootstrap-dns of stock derper and of ours', () => {
  const [published, unpublished] = [new BootstrapNames(PUBLISHED), new BootstrapNames(UNPUBLISHED)]
  let stock: RunningRelay
  let ours: ListeningRelay

  beforeAll(async () => {
    const flags = ['-bootstrap-dns-names', PUBLISHED, '-unpublished-bootstrap-dns-names', UNPUBLISHED]
    stock = await startReferenceRelay(flags)
    ours = await ListeningRelay.start({ bootstrapDns: { published, unpublished } })
    for (const names of [published, unpublished]) names.start()
    await until(() => unpublished.known !== undefined && published.known !== undefined, 'our names are resolved')
    let answer = ''
    for (let n = 0; n < 100 && !answer.includes('localhost.'); n++) answer = await bodyOf(stock.port, '?q=localhost.')
  })
  afterAll(async () => {
    for (const names of [published, unpublished]) names.stop()
    await Promise.all([stock?.stop(), ours?.[Symbol.asyncDispose]()])
  })

  async function bodyOf(port: number, query: string): Promise<string> {
    return (await request(port, `GET /bootstrap-dns${query}`)).body.toString()
  }

  /** Go and Node may order addresses differently, and Go shuffles published ones. */
  function comparable({ status, headers, body }: RawResponse) {
    const shown = Object.fromEntries([...headers].filter(([name]) => name !== 'date'))
    const lines = body.toString().replaceAll(',', '').split('\n').toSorted()
    return { status, headers: shown, lines }
  }

  test.each(['', '?q=', '?q=localhost', '?q=localhost.', '?q=LOCALHOST', '?q=nobody.invalid', '?q=x&q=localhost.'])(
    'GET %s gets the same response (P-164, P-165)',
    async query => {
      const [theirs, own] = [stock.port, ours.port].map(port => request(port, `GET /bootstrap-dns${query}`))
      expect(comparable((await own) as RawResponse)).toEqual(comparable((await theirs) as RawResponse))
    },
  )

  test('queries are counted the same way (P-164)', async () => {
    const counts = async (port: number) => {
      const vars = (await (await fetch(`http://127.0.0.1:${port}/debug/vars`)).json()) as Record<string, number>
      return Object.entries(vars).filter(([name]) => name.startsWith('counter_bootstrap_dns_'))
    }
    const [theirs, own] = [await counts(stock.port), await counts(ours.port)]
    // The setup has queried stock derper until its names were resolved.
    const comparing = (entries: [string, number][]) =>
      new Map(entries.filter(([name]) => !/_requests$|unpublished_hits$|unpublished_misses$/.test(name)))
    expect(comparing(own)).toEqual(comparing(theirs))
    expect(comparing(own).get('counter_bootstrap_dns_queried_domains')).toBe(5)
  })
})
