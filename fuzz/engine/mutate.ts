/** Makes new inputs of known ones. */

import { concatBytes } from '../../src/lib/bytes.ts'
import type { Comparison, Operand } from './coverage.ts'
import type { Random } from './random.ts'

const INTERESTING_BYTES = [0x00, 0x01, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x3a, 0x5b, 0x7b, 0x7f, 0x80, 0xfe, 0xff]
const INTERESTING_NUMBERS = [0, 1, 2, 31, 32, 33, 64, 127, 128, 255, 256, 1_000, 1_024, 32_768, 65_535, 65_536, 65_568]
const HUGE_NUMBERS = [262_144, 262_145, 1_048_576, 1_048_577, 0x7fffffff, 0x80000000, 0xffffffff]
const NUMBER_TEXTS = ['0', '-1', '65535', '65536', '4294967296', '9223372036854775807', '9223372036854775808', '1e9']
/** Most changes at once. */
const MAX_CHANGES = 6

export interface MutationSource {
  readonly random: Random
  readonly words: readonly Uint8Array[]
  readonly maxBytes: number
  /** Another known input. */
  readonly other: () => Uint8Array
}

type Change = (input: Uint8Array, source: MutationSource) => Uint8Array

const CHANGES: readonly Change[] = [
  (input, { random }) => setByte(input, random.below(input.length), byte => byte ^ (1 << random.below(8))),
  (input, { random }) => setByte(input, random.below(input.length), () => random.byte()),
  (input, { random }) => setByte(input, random.below(input.length), () => random.oneOf(INTERESTING_BYTES)),
  (input, { random }) => setByte(input, random.below(input.length), byte => byte + random.below(9) - 4),
  writeNumber,
  writeNumber,
  (input, { random }) => replace(input, ...range(input, random), new Uint8Array(0)),
  (input, { random }) => replace(input, ...range(input, random), new Uint8Array(0)),
  (input, { random }) => input.subarray(0, random.below(input.length + 1)),
  (input, { random }) => insertAt(input, random, copyOf(input, random)),
  (input, { random }) => insertAt(input, random, randomBytes(random)),
  (input, { random }) => replace(input, ...range(input, random), copyOf(input, random)),
  insertWord,
  insertWord,
  (input, { random, words }) => {
    const word = random.oneOf(words)
    const at = random.below(input.length)
    return replace(input, at, Math.min(input.length, at + word.length), word)
  },
  changeNumberText,
  splice,
  (input, { random, other }) => insertAt(input, random, copyOf(other(), random)),
]

/** A changed copy of `input`. */
export function mutate(input: Uint8Array, source: MutationSource): Uint8Array {
  const { random, maxBytes } = source
  let changed = input
  for (let left = 1 + random.below(MAX_CHANGES); left > 0; left--) {
    changed = random.oneOf(CHANGES)(changed.length === 0 ? Uint8Array.of(random.byte()) : changed, source)
  }
  return new Uint8Array(changed.subarray(0, maxBytes))
}

/** Copies of `input` in which failed comparisons would succeed. */
export function* satisfy(input: Uint8Array, comparisons: readonly Comparison[]): Generator<Uint8Array> {
  const tried = new Set<string>()
  for (const { seen, wanted } of comparisons) {
    const key = `${typeof seen} ${seen} ${wanted}`
    if (tried.has(key)) continue
    tried.add(key)
    for (const [from, to] of formsOf(seen, wanted)) {
      for (
        let at = indexOf(input, from, 0), times = 0;
        at >= 0 && times < 4;
        at = indexOf(input, from, at + 1), times++
      ) {
        yield replace(input, at, at + from.length, to)
      }
    }
  }
}

/** How two operands may lie in an input. */
function formsOf(seen: Operand, wanted: Operand): (readonly [Uint8Array, Uint8Array])[] {
  if (typeof seen === 'string' || typeof wanted === 'string') {
    return `${seen}` === '' ? [] : [[Buffer.from(`${seen}`), Buffer.from(`${wanted}`)]]
  }
  const widths = [1, 2, 4].filter(width => [seen, wanted].every(number => number >= 0 && number < 256 ** width))
  const binary = widths.map(width => [numberBytes(seen, width), numberBytes(wanted, width)] as const)
  return [...binary, [Buffer.from(`${seen}`), Buffer.from(`${wanted}`)]]
}

function indexOf(input: Uint8Array, part: Uint8Array, from: number): number {
  return Buffer.from(input.buffer, input.byteOffset, input.length).indexOf(part, from)
}

function setByte(input: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const copy = new Uint8Array(input)
  copy[at] = change(copy[at] as number)
  return copy
}

/** Lengths and the like: big-endian, as all protocols here have them. */
function writeNumber(input: Uint8Array, { random }: MutationSource): Uint8Array {
  const width = random.oneOf([2, 4])
  const at = random.below(input.length)
  const nearby = input.length - at + random.below(9) - 4
  const number = random.oneOf([...INTERESTING_NUMBERS, ...(width === 4 ? HUGE_NUMBERS : []), Math.max(0, nearby)])
  return replace(input, at, Math.min(input.length, at + width), numberBytes(number, width))
}

function numberBytes(number: number, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, at) => Math.floor(number / 256 ** (width - 1 - at)))
}

function insertWord(input: Uint8Array, { random, words }: MutationSource): Uint8Array {
  return words.length === 0 ? input : insertAt(input, random, random.oneOf(words))
}

function changeNumberText(input: Uint8Array, { random }: MutationSource): Uint8Array {
  const text = Buffer.from(input).toString('latin1')
  const found = [...text.matchAll(/\d+/g)]
  if (found.length === 0) return input
  const { 0: digits, index } = random.oneOf(found)
  const near = `${Number(digits.slice(0, 15)) + random.below(3) - 1}`
  return replace(input, index, index + digits.length, Buffer.from(random.oneOf([...NUMBER_TEXTS, near, near])))
}

/** The beginning of one and the end of another. */
function splice(input: Uint8Array, { random, other }: MutationSource): Uint8Array {
  const second = other()
  return concatBytes([
    input.subarray(0, random.below(input.length + 1)),
    second.subarray(random.below(second.length + 1)),
  ])
}

function insertAt(input: Uint8Array, random: Random, part: Uint8Array): Uint8Array {
  const at = random.below(input.length + 1)
  return replace(input, at, at, part)
}

function replace(input: Uint8Array, from: number, to: number, part: Uint8Array): Uint8Array {
  return concatBytes([input.subarray(0, from), part, input.subarray(to)])
}

function range(input: Uint8Array, random: Random): [from: number, to: number] {
  const from = random.below(input.length)
  return [from, Math.min(input.length, from + random.length(input.length - from))]
}

function copyOf(input: Uint8Array, random: Random): Uint8Array {
  return input.length === 0 ? input : input.subarray(...range(input, random))
}

function randomBytes(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.length(16) }, () => random.byte())
}
