/** Prints what a store has, at first and after each change, without any framework. */

import { createRelayStore } from './relay-store.ts'

const [relay] = process.argv.slice(2)
if (relay === undefined) {
  console.error('usage: node watch.ts RELAY')
  process.exitCode = 2
} else {
  const store = await createRelayStore(relay)
  console.log(store.getSnapshot().key)
  const show = () => {
    const { state, problem, messages } = store.getSnapshot()
    console.log(`${state}${problem && ` (${problem})`}: ${messages.map(({ text }) => text).join(', ')}`)
  }
  show()
  store.subscribe(show)
  process.once('SIGINT', store.close)
}
