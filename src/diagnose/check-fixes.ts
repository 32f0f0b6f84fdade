/** How to fix a problem that a relay reports at `/readyz`, by the name of its check: for the doctor and the status page. Pure. */

const FIXES: Readonly<Record<string, string>> = {
  draining: 'it is going to end; clients move to other relays by themselves',
  listeners: 'start it again, and see its log for why it stopped',
  certificate: 'put a valid certificate in place, or see the log for why the authority gave none',
  'certificate-renewal': 'fix the cause before the certificate expires; it tries again by itself',
  'admission-daemon': 'start tailscaled on the relay, or set -socket to where its socket is',
  'admission-url': 'see whether the server behind -verify-client-url runs, and whether the URL has the right path',
  mesh: 'check that these mesh peers run, that -mesh-with names them rightly and that both have the same mesh key',
  region: 'check that the NATS servers of -nats run and let this relay in; it joins by itself',
  'region-clock': 'run NTP on all relays of the region',
  workers: 'see the log for why workers ended; they are started again by themselves',
}

/** How to fix the problem of a check, without a final stop. */
export function fixOfCheck(name: string): string {
  return Object.hasOwn(FIXES, name) ? (FIXES[name] as string) : 'see its log for the cause'
}
