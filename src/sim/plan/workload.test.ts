import { expect, test } from 'vitest'
import { checkWorkload, localityOf, sharesOf, USUAL_WORKLOAD, type Workload } from './workload.ts'

test('relays share the clients by the skew', () => {
  expect(sharesOf({ ...USUAL_WORKLOAD, relays: 4 })).toEqual([0.25, 0.25, 0.25, 0.25])
  expect(sharesOf({ ...USUAL_WORKLOAD, relays: 2, skew: 1 })).toEqual([2 / 3, 1 / 3])
})

test('peers are local by chance unless a share is given', () => {
  expect(localityOf({ ...USUAL_WORKLOAD, relays: 4 })).toBe(0.25)
  expect(localityOf({ ...USUAL_WORKLOAD, relays: 4, locality: 0.9 })).toBe(0.9)
  expect(localityOf({ ...USUAL_WORKLOAD, relays: 1, locality: 0 })).toBe(1)
})

test.each([
  [{ relays: 0 }, 'relays is 0, not a positive integer'],
  [{ clients: 1.5 }, 'clients is 1.5, not a positive integer'],
  [{ replies: 2 }, 'replies is 2, not between 0 and 1'],
  [{ locality: -1 }, 'locality is -1, not between 0 and 1'],
  [{ sessionSeconds: 0 }, 'sessionSeconds is 0, not above 0'],
  [{ flowRate: Number.NaN }, 'flowRate is NaN, not above 0'],
  [{ skew: -1 }, 'skew is -1, below 0'],
  [{ clients: 5, peers: 5 }, '5 peers among 5 clients'],
] satisfies [Partial<Workload>, string][])('refuses %o', (part, problem) => {
  expect(() => checkWorkload({ ...USUAL_WORKLOAD, ...part })).toThrow(`plan region: ${problem}`)
})
