/** Lint rules for nodes. */

import { ipFamilyOf } from '../../lib/address-port.ts'
import type { DERPNode } from '../types.ts'
import { addressFinding, hostFinding, localAddressFault } from './host-text.ts'
import type { Finding, LintSeverity } from './issue.ts'
import { pinFinding } from './pin-text.ts'
import { quote } from './read-view.ts'
import type { NodeView } from './view.ts'

export interface NodeRule {
  readonly rule: string
  readonly severity: LintSeverity
  /** The field concerned. */
  readonly field?: keyof DERPNode
  readonly check: (node: NodeView) => Finding | undefined
}

const IDENTITY_RULES: readonly NodeRule[] = [
  {
    rule: 'node-name-missing',
    severity: 'error',
    field: 'Name',
    check: ({ values, region }) =>
      values.Name
        ? undefined
        : {
            message: 'Name is missing; clients look up nodes by name',
            fix: `add one, such as ${region.id}a`,
          },
  },
  {
    rule: 'node-region-id-missing',
    severity: 'error',
    check: ({ places, region }) =>
      places.RegionID === undefined
        ? { message: 'RegionID is missing; clients never use the node', fix: `add RegionID ${region.id}` }
        : undefined,
  },
  {
    rule: 'node-region-id-mismatch',
    severity: 'error',
    field: 'RegionID',
    check: ({ values: { RegionID: id }, region }) =>
      id !== undefined && id !== region.id
        ? { message: `RegionID ${id} does not match region ${region.id}`, fix: `write RegionID ${region.id}` }
        : undefined,
  },
]

const ADDRESS_RULES: readonly NodeRule[] = [
  {
    rule: 'host-missing',
    severity: 'error',
    check: ({ places }) =>
      places.HostName === undefined
        ? { message: 'HostName is missing', fix: 'add the DNS name or IP address of the relay' }
        : undefined,
  },
  {
    rule: 'host-invalid',
    severity: 'error',
    field: 'HostName',
    check: ({ values }) => (values.HostName === undefined ? undefined : hostFinding(values.HostName)),
  },
  {
    rule: 'host-local',
    severity: 'warning',
    field: 'HostName',
    check: ({ values }) => localFinding('HostName', values.HostName),
  },
  ...(['IPv4', 'IPv6'] as const).flatMap((field): NodeRule[] => [
    {
      rule: 'address-invalid',
      severity: 'error',
      field,
      check: ({ values }) => (values[field] === undefined ? undefined : addressFinding(field, values[field])),
    },
    {
      rule: 'address-local',
      severity: 'warning',
      field,
      check: ({ values }) => (values[field] === values.HostName ? undefined : localFinding(field, values[field])),
    },
  ]),
  {
    rule: 'no-address',
    severity: 'error',
    check: ({ values }) =>
      values.IPv4 === 'none' && values.IPv6 === 'none'
        ? { message: 'IPv4 and IPv6 are both disabled', fix: 'remove one of them to use DNS' }
        : undefined,
  },
]

const CERTIFICATE_RULES: readonly NodeRule[] = [
  {
    rule: 'cert-name-invalid',
    severity: 'error',
    field: 'CertName',
    check: ({ values }) => (values.CertName === undefined ? undefined : pinFinding(values.CertName)),
  },
  {
    rule: 'ip-without-pin',
    severity: 'warning',
    field: 'HostName',
    check: ({ values: { HostName: host = '', CertName: name, InsecureForTests: insecure } }) =>
      ipFamilyOf(host) !== undefined && !name && !insecure
        ? {
            message: `HostName ${quote(host)} is an IP address, which few certificates are valid for`,
            fix: 'make sure that a public CA issued the certificate for this address, or pin it by CertName',
          }
        : undefined,
  },
  {
    rule: 'insecure',
    severity: 'warning',
    field: 'InsecureForTests',
    check: ({ values }) =>
      values.InsecureForTests
        ? {
            message: 'InsecureForTests disables certificate checks, so anyone on the path can impersonate the relay',
            fix: 'remove it; pin a self-signed certificate by CertName',
          }
        : undefined,
  },
]

const SERVICE_RULES: readonly NodeRule[] = [
  {
    rule: 'stun-only-without-stun',
    severity: 'error',
    field: 'STUNPort',
    check: ({ values }) =>
      values.STUNOnly && values.STUNPort === -1
        ? { message: 'the node is STUNOnly, but STUN is disabled', fix: 'set STUNPort, or remove the node' }
        : undefined,
  },
  {
    rule: 'test-field',
    severity: 'warning',
    field: 'STUNTestIP',
    check: ({ values }) =>
      values.STUNTestIP ? { message: 'STUNTestIP is for tests only', fix: 'remove it' } : undefined,
  },
]

export const NODE_RULES: readonly NodeRule[] = [
  ...IDENTITY_RULES,
  ...ADDRESS_RULES,
  ...CERTIFICATE_RULES,
  ...SERVICE_RULES,
]

function localFinding(field: string, text: string | undefined): Finding | undefined {
  const fault = text === undefined ? undefined : localAddressFault(text)
  if (fault === undefined) return undefined
  return { message: `${field} ${quote(text)} ${fault}`, fix: 'use an address that all clients can reach' }
}
