/** The home page of the daemon: what this is, whether it works, and its DERP map entry (P-163). */

import { firstHeader } from '../../http/header.ts'
import type { Page } from '../../http/page.ts'
import { BROWSER_HEADERS } from '../../http/pages/browser-headers.ts'
import type { HttpReply, HttpRequest } from '../../listen/http-service.ts'
import type { ReadinessReport, ReadinessSource } from '../../status/readiness.ts'
import { serveAssets } from '../assets.ts'
import { pageReply } from '../page-html.ts'
import { homeBody } from './home-html.ts'
import { type HomeAddress, homeMap, mapRemarks, visitedAt } from './home-map.ts'

export interface HomePageOptions {
  readonly readiness: ReadinessSource
  /** Whether a request may see `/debug/`. */
  readonly allows: (request: HttpRequest) => boolean
  readonly address: HomeAddress
  /** Whether `/derp` accepts connections. */
  readonly derp: boolean
  /** Whether the status page can be opened by a token. */
  readonly hasStatusToken: () => boolean
  /** Whether there is the demo. */
  readonly hasDemo: boolean
}

/** The pages by path. */
export function createHomePages(options: HomePageOptions): ReadonlyMap<string, Page> {
  const assets = serveAssets('/assets')
  const files = { style: assets.pathOf('home.css'), ...(options.derp && { script: assets.pathOf('home.js') }) }
  return new Map<string, Page>([...assets.pages, ['/', request => home(options, files, request)]])
}

async function home(
  { readiness, allows, address, derp, hasStatusToken, hasDemo }: HomePageOptions,
  files: { readonly style: string; readonly script?: string },
  request: HttpRequest,
): Promise<HttpReply> {
  const isSecure = request.isSecure || firstHeader(request, 'x-forwarded-proto') === 'https'
  const visited = visitedAt(firstHeader(request, 'host') ?? '', isSecure)
  const isOperator = allows(request)
  const body = homeBody({
    report: derp ? await reportOf(readiness) : undefined,
    map: homeMap(address, visited),
    remarks: mapRemarks(address, visited),
    isOperator,
    hasStatus: isOperator || hasStatusToken(),
    hasDemo,
  })
  return pageReply({ title: 'DERP relay', ...files, body, icon: false }, 200, BROWSER_HEADERS)
}

/** Unknown counts as not ready, as in `/readyz`. */
async function reportOf(readiness: ReadinessSource): Promise<ReadinessReport> {
  try {
    return await readiness.report()
  } catch (error) {
    return { ready: false, problems: [{ name: 'readiness', reason: String(error) }], degraded: [] }
  }
}
