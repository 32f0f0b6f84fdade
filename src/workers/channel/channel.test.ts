import { expect, test } from 'vitest'
import { Channel, type Post } from './channel.ts'
import type { Port } from './port.ts'

/** Two ends whose posts are delivered on demand. */
function ends() {
  const posts: { a: Post<string>[]; b: Post<string>[] } = { a: [], b: [] }
  const handlers: { a?: (post: Post<string>) => void; b?: (post: Post<string>) => void } = {}
  const port = (own: 'a' | 'b', other: 'a' | 'b'): Port<Post<string>, Post<string>> => ({
    post: post => void posts[other].push(post),
    open: handler => {
      handlers[own] = handler
    },
    drain() {},
    close() {},
  })
  const deliver = async (to: 'a' | 'b') => {
    for (const post of posts[to].splice(0)) handlers[to]?.(post)
    await Promise.resolve()
  }
  const [a, b] = [new Channel<string, string>(port('a', 'b')), new Channel<string, string>(port('b', 'a'))]
  return { a, b, posts, deliver }
}

test('Channel posts all messages of one callback together', async () => {
  const { a, b, posts, deliver } = ends()
  const heard: string[] = []
  b.open(message => heard.push(message))
  a.send('one')
  a.send('two')
  expect(posts.b).toEqual([])
  await Promise.resolve()
  expect(posts.b.map(({ messages }) => messages)).toEqual([['one', 'two']])
  await deliver('b')
  expect(heard).toEqual(['one', 'two'])
})

test('Channel reports when the other side has handled what was sent', async () => {
  const { a, b, deliver } = ends()
  a.open(() => {})
  b.open(() => {})
  const known: number[] = []
  a.send('one')
  a.whenHandled(() => known.push(1))
  await Promise.resolve()
  a.send('two')
  a.whenHandled(() => known.push(2))
  await Promise.resolve()
  expect(a.isHeard).toBe(false)
  await deliver('b')
  expect(known).toEqual([])
  await deliver('a')
  expect([known, a.isHeard, b.handled]).toEqual([[1, 2], true, 2])
})

test('Channel treats everything as handled once the other side has closed', async () => {
  const { a } = ends()
  const known: number[] = []
  a.whenHandled(() => known.push(1))
  a.close()
  a.whenHandled(() => known.push(2))
  expect(known).toEqual([1, 2])
})
