/**
 * Selects a share of all addresses for a rollout, the same on every relay, ours or the original (P-164).
 *
 * Each address gets a number from Go's generator (128-bit PCG with DXSM output), seeded with the address.
 */

import { addressTo16, ipFamilyOf } from '../../lib/address-port.ts'

const MULTIPLIER = (2549297995355413924n << 64n) | 4865540595714422341n
const INCREMENT = (6364136223846793005n << 64n) | 1442695040888963407n
const OUTPUT_MULTIPLIER = 0xda942042e4dd58b5n

const uint64 = (value: bigint) => BigInt.asUintN(64, value)

/** The number of an IP address: uniform in [0, 1). */
export function rolloutNumber(address: string): number {
  const bytes = new DataView(addressTo16(address).buffer)
  const seed = (bytes.getBigUint64(0, true) << 64n) | bytes.getBigUint64(8, true)
  const state = BigInt.asUintN(128, seed * MULTIPLIER + INCREMENT)
  let output = state >> 64n
  output = uint64((output ^ (output >> 32n)) * OUTPUT_MULTIPLIER)
  output = uint64((output ^ (output >> 48n)) * (uint64(state) | 1n))
  // The low 53 bits, the precision of a number.
  return Number(BigInt.asUintN(53, output)) / 2 ** 53
}

/** Whether `address` is within `share`, from 0 to 1. Loopback is random, for testing. */
export function isSelected(address: string | undefined, share: number, random: () => number): boolean {
  if (share <= 0) return false
  if (share >= 1) return true
  if (address === undefined || ipFamilyOf(address) === undefined) return false
  if (address === '::1' || address.startsWith('127.')) return random() < 0.5
  return share > rolloutNumber(address)
}
