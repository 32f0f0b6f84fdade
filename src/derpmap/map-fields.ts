/**
 * All fields of a DERP map: names, types, bounds and meaning.
 *
 * Source of the JSON Schema and of lint's type checks; parse.ts reads the same fields.
 */

import type { DERPHomeParams, DERPMap, DERPNode, DERPRegion } from './types.ts'

export type FieldType =
  | { readonly kind: 'text' | 'flag' }
  | { readonly kind: 'integer' | 'number'; readonly min: number; readonly max: number }
  /** An object, of the named table. */
  | { readonly kind: 'object'; readonly of: 'home' }
  /** An object with region IDs as keys. */
  | { readonly kind: 'byRegion'; readonly of: 'region' | 'score' }
  | { readonly kind: 'list'; readonly of: 'node' }

export type MapField = FieldType & {
  readonly help: string
  readonly isRequired?: boolean
}

/** The fields of one kind of object, by name. */
export type FieldTable<T> = { readonly [K in keyof Required<T>]: MapField }

const REGION_ID = { kind: 'integer', min: 1, max: Number.MAX_SAFE_INTEGER } as const

export const MAP_FIELDS: FieldTable<DERPMap> = {
  HomeParams: { kind: 'object', of: 'home', help: 'Parameters for choosing a home region.' },
  Regions: { kind: 'byRegion', of: 'region', help: 'Regions by ID; 900 to 999 are reserved for your own relays.' },
  omitDefaultRegions: {
    kind: 'flag',
    help: "Use only these regions, not Tailscale's. Headscale ignores it; set derp.urls to [] there.",
  },
}

export const HOME_FIELDS: FieldTable<DERPHomeParams> = {
  RegionScore: {
    kind: 'byRegion',
    of: 'score',
    help: 'Latency factors by region ID: below 1 makes a region more likely to be chosen as home, above 1 less.',
  },
}

export const REGION_FIELDS: FieldTable<DERPRegion> = {
  RegionID: { ...REGION_ID, isRequired: true, help: 'Must equal the key of the region.' },
  RegionCode: { kind: 'text', isRequired: true, help: 'Short name, such as nyc.' },
  RegionName: { kind: 'text', isRequired: true, help: 'Display name, such as New York City.' },
  Latitude: { kind: 'number', min: -90, max: 90, help: 'Degrees north.' },
  Longitude: { kind: 'number', min: -180, max: 180, help: 'Degrees east.' },
  Avoid: { kind: 'flag', help: 'Deprecated; use NoMeasureNoHome.' },
  NoMeasureNoHome: { kind: 'flag', help: 'Never measured nor chosen as home; used to reach peers there.' },
  Nodes: {
    kind: 'list',
    of: 'node',
    isRequired: true,
    help: 'Relays in order of preference; they must be meshed with each other.',
  },
}

const PORT = { kind: 'integer', min: 0, max: 65_535 } as const

export const NODE_FIELDS: FieldTable<DERPNode> = {
  Name: { kind: 'text', isRequired: true, help: 'Unique across all regions, such as 900a. Not a host name.' },
  RegionID: { ...REGION_ID, isRequired: true, help: 'ID of the region it belongs to.' },
  HostName: { kind: 'text', isRequired: true, help: 'DNS name or IP address, without scheme, port or path.' },
  CertName: {
    kind: 'text',
    help: 'Certificate name if it differs from HostName, or "sha256-raw:" plus the SHA-256 of a self-signed certificate.',
  },
  IPv4: { kind: 'text', help: 'IPv4 address to use instead of DNS; "none" disables IPv4.' },
  IPv6: { kind: 'text', help: 'IPv6 address to use instead of DNS; "none" disables IPv6.' },
  STUNPort: { ...PORT, min: -1, help: 'STUN port; 0 means 3478, -1 disables STUN.' },
  STUNOnly: { kind: 'flag', help: 'Answers STUN only, does not relay.' },
  DERPPort: { ...PORT, help: 'DERP port; 0 means 443.' },
  InsecureForTests: { kind: 'flag', help: 'Do not check the certificate. For tests only.' },
  STUNTestIP: { kind: 'text', help: 'Address for STUN instead of the node. For tests only.' },
  CanPort80: { kind: 'flag', help: 'Reachable by plain HTTP on port 80, for captive portal checks.' },
}
