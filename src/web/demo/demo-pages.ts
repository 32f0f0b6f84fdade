/** The demo of `derper -dev`: two tabs that meet by a link and talk over this relay, or another (P-176). */

import type { Page } from '../../http/page.ts'
import { serveAssets } from '../assets.ts'
import { pageReply } from '../page-html.ts'

const PATH = '/demo'

/** `?relay=` selects another relay. */
const POLICY = { 'connect-src': "'self' ws: wss: http: https:", 'img-src': "'self' data:" }

const BODY = `<header><h1>Two tabs, one relay</h1></header>
<main>
<p>Open the link in another tab, or on another device: both connect to the relay and talk to each other through it. All they say
is encrypted between them; their keys stay in the tabs.</p>
<noscript><p class="failing">The demo is a script: allow it, or use <code>derp cat</code> on a command line.</p></noscript>
<section aria-labelledby="meet-title" id="meet">
<h2 id="meet-title">Meet</h2>
<p id="state" role="status"></p>
<div id="invite" hidden></div>
<dl id="facts"></dl>
</section>
<section aria-labelledby="talk-title" id="talk" hidden>
<h2 id="talk-title">Talk</h2>
<div id="log" role="log" aria-label="Messages" tabindex="0"></div>
<form id="chat"><label for="text">Message</label> <input id="text" autocomplete="off" required> <button type="submit">Send</button></form>
<p><label for="file">File</label> <input id="file" type="file"></p>
<table id="files" hidden><caption>Files</caption><thead><tr><th scope="col">Name</th><th scope="col">Progress</th><th
scope="col">Rate</th><th scope="col">SHA-256</th></tr></thead><tbody></tbody></table>
</section>
<section aria-labelledby="check-title">
<h2 id="check-title">Diagnose</h2>
<div id="check"></div>
</section>
</main>
<footer><p><a href="/">This relay</a></p></footer>`

/** The pages by path. */
export function createDemoPages(): ReadonlyMap<string, Page> {
  const assets = serveAssets('/assets')
  const parts = { style: assets.pathOf('demo.css'), script: assets.pathOf('demo.js') }
  const page: Page = () => pageReply({ title: 'DERP demo', ...parts, body: BODY, policy: POLICY })
  return new Map<string, Page>([...assets.pages, [PATH, page]])
}
