/** Counters of a relay in its region. For their meaning see the metrics they become, in `status/region-metrics.ts`. */

export class RegionCounters {
  relaysMet = 0
  relaysLost = 0
  searches = 0
  found = 0
  searchesForNobody = 0
  searchesFailed = 0
  superseded = 0
  wentAstray = 0
  timesRefused = 0
  resyncs = 0
  listsSent = 0
  messagesReceived = 0
  messagesUnknown = 0
  messagesLost = 0
  routesIdled = 0
  routesDisplaced = 0
}
