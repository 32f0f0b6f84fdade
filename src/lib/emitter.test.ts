import { expect, test } from 'vitest'
import { Emitter } from './emitter.ts'

test('Emitter calls listeners of a name in order until they unsubscribe', () => {
  const emitter = new Emitter<{ a: number; b: string }>()
  const heard: unknown[] = []
  const stop = emitter.on('a', value => heard.push(['first', value]))
  emitter.on('a', value => heard.push(['second', value]))
  emitter.on('b', value => heard.push(value))
  emitter.emit('a', 1)
  stop()
  stop()
  emitter.emit('a', 2)
  emitter.emit('b', 'x')
  expect(heard).toEqual([['first', 1], ['second', 1], ['second', 2], 'x'])
})
