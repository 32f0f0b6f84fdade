/** The DERP map: which relays exist and how to reach them. Names and spelling are those of its JSON. */

/** All usable relays. */
export interface DERPMap {
  /** Parameters for choosing a home; absent means unchanged. */
  readonly HomeParams?: DERPHomeParams
  /** The regions by {@link DERPRegion.RegionID}; IDs may have gaps. */
  readonly Regions?: Readonly<Record<number, DERPRegion>>
  /** Use only these regions, not those built into the client or learned elsewhere. */
  readonly omitDefaultRegions?: boolean
}

/** Parameters for choosing a home region. */
export interface DERPHomeParams {
  /**
   * Factors applied to a region's measured latency before comparison: below 1 makes it more likely as a home, above 1
   * less. Regions not listed have 1; 0 and negative values are ignored.
   *
   * Absent means unchanged; an empty object resets all to 1.
   */
  readonly RegionScore?: Readonly<Record<number, number>>
}

/** Relays that forward packets to each other, so that a client may use any of them. */
export interface DERPRegion {
  /** Positive; 900 to 999 are for private relays. */
  readonly RegionID: number
  /** Short name, such as `nyc`. */
  readonly RegionCode: string
  /** Display name, such as `New York City`. */
  readonly RegionName: string
  /** Degrees north. */
  readonly Latitude?: number
  /** Degrees east. */
  readonly Longitude?: number
  /**
   * Not to be chosen as a home.
   *
   * @deprecated Releases disagree on what else it means; superseded by `NoMeasureNoHome`.
   */
  readonly Avoid?: boolean
  /** Neither measured nor chosen as a home, but used to reach peers there. */
  readonly NoMeasureNoHome?: boolean
  /** The relays, best first: a client uses the next one only if it cannot connect to the previous one. */
  readonly Nodes: readonly DERPNode[]
}

/** One relay. */
export interface DERPNode {
  /** Unique across all regions; not a host name. Usually the region ID and a letter, such as `1b`. */
  readonly Name: string
  /** ID of its region. */
  readonly RegionID: number
  /** DNS name or IP address; several nodes may share one and differ otherwise. */
  readonly HostName: string
  /**
   * Name that the relay's certificate must be valid for instead of `HostName`, which is still sent as the server name.
   *
   * Alternatively `sha256-raw:` and 64 hex digits pin the certificate by the SHA-256 of its DER form, for self-signed
   * certificates.
   */
  readonly CertName?: string
  /** IPv4 address to use instead of DNS; any other text, such as `none`, disables IPv4. */
  readonly IPv4?: string
  /** IPv6 address to use instead of DNS; any other text, such as `none`, disables IPv6. */
  readonly IPv6?: string
  /** STUN UDP port; 0 or absent means 3478, -1 means no STUN. */
  readonly STUNPort?: number
  /** Serves only STUN and carries no packets. */
  readonly STUNOnly?: boolean
  /** TCP port of DERP over TLS; 0 or absent means 443. */
  readonly DERPPort?: number
  /** Do not verify its certificate. For tests only. */
  readonly InsecureForTests?: boolean
  /** Address for STUN instead of the node's own. For tests only. */
  readonly STUNTestIP?: string
  /** Also serves plain HTTP on port 80, for captive portal detection. */
  readonly CanPort80?: boolean
}
