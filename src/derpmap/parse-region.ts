/** Parses a region of a DERP map and its nodes; reports and leaves out unusable parts. */

import { type IpFamily, ipFamilyOf } from '../lib/address-port.ts'
import { DerpMapError } from './derp-map-error.ts'
import { hostProblem } from './endpoint.ts'
import {
  type Check,
  decimal,
  flag,
  list,
  orReport,
  type ReportProblem,
  readFields,
  text,
  wholeNumber,
} from './fields.ts'
import type { DERPNode, DERPRegion } from './types.ts'

/** The original's IDs have 64 bits; here they are limited to exact JSON numbers. */
export const regionId: Check<number> = wholeNumber(1, Number.MAX_SAFE_INTEGER)

const NODE_CHECKS = {
  Name: text,
  RegionID: regionId,
  HostName: text,
  CertName: text,
  IPv4: text,
  IPv6: text,
  STUNPort: wholeNumber(-1, 65_535),
  STUNOnly: flag,
  DERPPort: wholeNumber(0, 65_535),
  InsecureForTests: flag,
  STUNTestIP: text,
  CanPort80: flag,
} as const

/** Value that disables an address family. */
const NO_ADDRESS = 'none'

/** Called for each node of a region, with the problem of an unusable one. */
export type CountNode = (problem?: DerpMapError) => void

/** @throws DerpMapError if the whole region is unusable. */
export function parseRegion(
  value: unknown,
  path: string,
  id: number,
  { report, count }: { readonly report: ReportProblem; readonly count: CountNode },
): DERPRegion {
  const checks = {
    RegionID: regionId,
    RegionCode: orReport(text, report),
    RegionName: orReport(text, report),
    Latitude: orReport(decimal, report),
    Longitude: orReport(decimal, report),
    Avoid: orReport(flag, report),
    NoMeasureNoHome: orReport(flag, report),
    Nodes: list,
  } as const
  const { Nodes: stated = [], ...fields } = readFields(value, path, checks, report)
  assertSameId(fields.RegionID, id, path)
  const nodes: DERPNode[] = []
  for (const [i, each] of stated.entries()) {
    let problem: DerpMapError | undefined
    const readNode = orReport(
      (item, at) => parseNode(item, at, id, report),
      found => {
        problem = found
        report(found)
      },
    )
    const node = readNode(each, `${path}.Nodes[${i}]`)
    count(problem)
    if (node === undefined) continue
    if (nodes.some(({ Name }) => Name === node.Name)) {
      report(new DerpMapError(`${path}.Nodes[${i}].Name`, node.Name, 'another node of the region has the same name'))
    }
    nodes.push(node)
  }
  const known = Object.entries(fields).filter(([, field]) => field !== undefined)
  return { RegionCode: '', RegionName: '', ...Object.fromEntries(known), RegionID: id, Nodes: nodes }
}

function parseNode(value: unknown, path: string, id: number, report: ReportProblem): DERPNode {
  const fields = readFields(value, path, NODE_CHECKS, report)
  assertSameId(fields.RegionID, id, path)
  const host = fields.HostName || addressOf(fields)
  if (host === undefined) {
    throw new DerpMapError(`${path}.HostName`, fields.HostName, 'a node needs a HostName or an IP address')
  }
  if (!fields.HostName) {
    report(new DerpMapError(`${path}.HostName`, fields.HostName, `using the node's address ${host} instead`))
  }
  const problem = hostProblem(host)
  if (problem !== undefined) throw new DerpMapError(`${path}.HostName`, host, problem)
  reportAddress(fields.IPv4, 4, path, report)
  reportAddress(fields.IPv6, 6, path, report)
  return { Name: '', ...fields, HostName: host, RegionID: id }
}

/** The original accepts nodes with only an address. */
function addressOf({ IPv4, IPv6 }: { IPv4?: string; IPv6?: string }): string | undefined {
  return [IPv4, IPv6].find(address => address !== undefined && ipFamilyOf(address) !== undefined)
}

/** Invalid addresses disable their family, as in the original; a typo would go unnoticed. */
function reportAddress(stated: string | undefined, family: IpFamily, path: string, report: ReportProblem): void {
  if (!stated || stated === NO_ADDRESS || ipFamilyOf(stated) === family) return
  const reason = `not an IPv${family} address, which disables IPv${family}; write "${NO_ADDRESS}" if that is intended`
  report(new DerpMapError(`${path}.IPv${family}`, stated, reason))
}

function assertSameId(stated: number | undefined, id: number, path: string): void {
  if (stated !== undefined && stated !== id)
    throw new DerpMapError(`${path}.RegionID`, stated, `does not match region ${id}`)
}
