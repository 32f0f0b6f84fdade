/** Headers for pages that browsers may open (P-165). */

/** Sent with the home page, unknown paths, `/robots.txt` and `/bootstrap-dns`, over plain HTTP too. */
export const BROWSER_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'Strict-Transport-Security': 'max-age=63072000; includeSubDomains',
  'Content-Security-Policy':
    "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'self'; block-all-mixed-content; object-src 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
})
