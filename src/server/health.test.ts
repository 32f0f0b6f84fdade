import { expect, test } from 'vitest'
import { Health } from './health.ts'

function told(act: (health: Health) => void): string[] {
  const texts: string[] = []
  act(new Health(text => texts.push(text)))
  return texts
}

test('Health reports changes only (P-092)', () => {
  const texts = told(health => {
    health.set('limited', false)
    health.set('duplicate', true)
    health.set('duplicate', true)
    health.set('duplicate', false)
    health.set('duplicate', false)
  })
  expect(texts).toEqual([expect.stringContaining('connected more than once'), ''])
})

test('Health reports all current problems together (P-092)', () => {
  const [duplicate, both, limited, none] = told(health => {
    health.set('duplicate', true)
    health.set('limited', true)
    health.set('duplicate', false)
    health.set('limited', false)
  })
  expect(limited).toContain('faster than the relay allows')
  expect([both, none]).toEqual([`${duplicate}; ${limited}`, ''])
})
