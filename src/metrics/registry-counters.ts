/** Statistics of a relay's registry. */

export interface RegistryCounters {
  duplicateKeys: number
  duplicateConnections: number
  duplicateConnectionsTotal: number
  multiForwardersCreated: number
  multiForwardersDeleted: number
  forwarderRemovalsOfOther: number
}

/** All zero. */
export function noRegistryCounts(): RegistryCounters {
  return {
    duplicateKeys: 0,
    duplicateConnections: 0,
    duplicateConnectionsTotal: 0,
    multiForwardersCreated: 0,
    multiForwardersDeleted: 0,
    forwarderRemovalsOfOther: 0,
  }
}
