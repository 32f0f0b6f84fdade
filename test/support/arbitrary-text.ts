/** Random text. */

import { fc } from './fast-check.ts'

const SURROGATES = 0x800

/** Any character. fast-check's unit `binary` is equivalent, but builds a list of all 1.1 million first. */
export const anyCharacter: fc.Arbitrary<string> = fc.integer({ min: 0, max: 0x10ffff - SURROGATES }).map(
  index => String.fromCodePoint(index < 0xd800 ? index : index + SURROGATES),
  text => {
    const point = typeof text === 'string' ? text.codePointAt(0) : undefined
    if (point === undefined || text !== String.fromCodePoint(point)) throw new Error('not one character')
    return point < 0xd800 ? point : point - SURROGATES
  },
)
