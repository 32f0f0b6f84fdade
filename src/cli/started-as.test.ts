import { expect, test } from 'vitest'
import { commandLineOf } from './started-as.ts'

test.each([
  ['/home/me/derphttp/src/bin/derper.ts', 'npm run -s derp --'],
  ['/home/me/app/node_modules/.bin/derper', 'npx derp'],
  ['/usr/local/bin/derper', 'derp'],
  ['/usr/lib/node_modules/derphttp/dist/bin/derper.js', 'derp'],
  [undefined, 'derp'],
])('commandLineOf matches how the command was started: %s', (script, expected) => {
  expect(commandLineOf('derp', script)).toBe(expected)
})
