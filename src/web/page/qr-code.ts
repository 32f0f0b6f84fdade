/** A QR code as SVG: dark on light in both colour schemes, as scanners require. */

import { encode } from 'uqr'

const SVG = 'http://www.w3.org/2000/svg'
/** Width of the light margin in modules, as in the standard. */
const QUIET = 4

export function qrCode(text: string, label: string): SVGElement {
  const { size, data } = encode(text, { border: 0 })
  const side = size + 2 * QUIET
  const image = document.createElementNS(SVG, 'svg')
  image.setAttribute('viewBox', `0 0 ${side} ${side}`)
  image.setAttribute('role', 'img')
  image.setAttribute('aria-label', label)
  image.setAttribute('shape-rendering', 'crispEdges')
  image.append(shape('rect', { width: String(side), height: String(side), fill: '#fff' }))
  const dark = data.flatMap((row, y) =>
    row.flatMap((isDark, x) => (isDark ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : [])),
  )
  image.append(shape('path', { d: dark.join(''), fill: '#000' }))
  return image
}

function shape(name: 'rect' | 'path', attributes: Readonly<Record<string, string>>): SVGElement {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  return element
}
