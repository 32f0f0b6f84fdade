/** The script of the status page: keeps it fresh without losing the place of the reader. */

const EVERY_MS = 5_000

export const REFRESH_SCRIPT = `'use strict'
async function refresh() {
  try {
    const response = await fetch('/', { headers: { Accept: 'text/html' } })
    if (!response.ok) throw new Error(String(response.status))
    const page = new DOMParser().parseFromString(await response.text(), 'text/html')
    document.title = page.title
    document.querySelector('main').replaceWith(page.querySelector('main'))
    document.body.style.opacity = ''
  } catch {
    document.body.style.opacity = '.5'
  }
}
setInterval(refresh, ${EVERY_MS})
`
