/** A small picture of the last runs, as SVG. Pure. */

const BAR = 4
const HEIGHT = 14

/** A bar for each run, as high as its latency is among the others; a full red one for a failure. */
export function sparkline(runs: readonly (number | undefined)[]): string {
  if (runs.length < 2) return ''
  const highest = Math.max(...runs.map(run => run ?? 0), Number.MIN_VALUE)
  const bars = runs.map((run, at) => {
    const height = run === undefined ? HEIGHT : Math.max(1, Math.round((run / highest) * HEIGHT))
    const color = run === undefined ? '#c0392b' : 'currentColor'
    return `<rect x="${at * (BAR + 1)}" y="${HEIGHT - height}" width="${BAR}" height="${height}" fill="${color}"/>`
  })
  const width = runs.length * (BAR + 1)
  return `<svg width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" opacity=".6" aria-hidden="true">${bars.join('')}</svg>`
}
