/** The DERP map: which relays there are and how to reach them. Names and spelling are those of its JSON. */

/** All relays that may be used. */
export interface DERPMap {
  /** Parameters for the choice of a home; absent means unchanged. */
  readonly HomeParams?: DERPHomeParams
  /** The regions by {@link DERPRegion.RegionID}; the numbers may have gaps. */
  readonly Regions?: Readonly<Record<number, DERPRegion>>
  /** Use these regions alone, without those that a client was built with or is told of elsewhere. */
  readonly omitDefaultRegions?: boolean
}

/** Parameters for the choice of a home region. */
export interface DERPHomeParams {
  /**
   * Factors by which the measured latency of a region is multiplied before regions are compared: below 1 makes it more
   * likely as a home, above 1 less. Regions that are not named have 1; 0 and less are to be ignored.
   *
   * Absent means unchanged, an empty object sets all back to 1.
   */
  readonly RegionScore?: Readonly<Record<number, number>>
}

/** Relays that stand together and forward packets to each other, so that a client may use any one of them. */
export interface DERPRegion {
  /** Positive; 900 to 999 are for relays of one's own. */
  readonly RegionID: number
  /** Short name, such as `nyc`. */
  readonly RegionCode: string
  /** Name for people, such as `New York City`. */
  readonly RegionName: string
  /** Degrees north. */
  readonly Latitude?: number
  /** Degrees east. */
  readonly Longitude?: number
  /**
   * Not to be chosen as a home.
   *
   * @deprecated Releases disagree about what else it means; `NoMeasureNoHome` took its place.
   */
  readonly Avoid?: boolean
  /** Neither measured nor chosen as a home, but used to reach peers that are there. */
  readonly NoMeasureNoHome?: boolean
  /** The relays, best first: a client goes to the next one only when it cannot connect to the one before. */
  readonly Nodes: readonly DERPNode[]
}

/** One relay. */
export interface DERPNode {
  /** Unique among all regions; no host name. Usually the region's number and a letter, such as `1b`. */
  readonly Name: string
  /** The region that it is in. */
  readonly RegionID: number
  /** DNS name or IP address; several nodes may share one and differ in the rest. */
  readonly HostName: string
  /**
   * Name that the relay's certificate must be for, instead of `HostName`, which is still the name asked for.
   *
   * `sha256-raw:` and 64 hex digits instead pin the certificate itself by the SHA-256 of its DER form: for
   * certificates that no authority has signed.
   */
  readonly CertName?: string
  /** IPv4 address to use instead of asking DNS; what is no such address, such as `none`, switches IPv4 off. */
  readonly IPv4?: string
  /** IPv6 address to use instead of asking DNS; what is no such address, such as `none`, switches IPv6 off. */
  readonly IPv6?: string
  /** UDP port of STUN; 0 or absent means 3478, -1 that there is no STUN. */
  readonly STUNPort?: number
  /** Answers STUN only and carries no packets. */
  readonly STUNOnly?: boolean
  /** TCP port of DERP over TLS; 0 or absent means 443. */
  readonly DERPPort?: number
  /** Its certificate is not checked. For tests only. */
  readonly InsecureForTests?: boolean
  /** Address to send STUN to instead of the node's own. For tests only. */
  readonly STUNTestIP?: string
  /** Answers plain HTTP on port 80 too, for the detection of captive portals. */
  readonly CanPort80?: boolean
}
