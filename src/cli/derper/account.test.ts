import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AccountFiles, findAccount } from './account.ts'

let directory: string
let files: AccountFiles
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'account-'))
  files = { passwd: join(directory, 'passwd'), group: join(directory, 'group') }
  writeFileSync(files.passwd, 'root:x:0:0::/root:/bin/sh\nderper:x:990:980::/:/bin/false\n44:x:45:46::/:/bin/false\n')
  writeFileSync(files.group, 'root:x:0:\nssl-cert:x:110:www,derper\nderper:x:980:\nother:x:70:derper2\n')
})
afterAll(() => rmSync(directory, { recursive: true }))

test.each([
  ['derper', '', { uid: 990, gid: 980, groups: [980, 110] }],
  ['990', '', { uid: 990, gid: 980, groups: [980, 110] }],
  ['derper', 'other', { uid: 990, gid: 70, groups: [70, 110] }],
  ['derper', 'ssl-cert', { uid: 990, gid: 110, groups: [110] }],
  ['1234', '70', { uid: 1234, gid: 70, groups: [70] }],
  ['1234', '4321', { uid: 1234, gid: 4321, groups: [4321] }],
  // A name comes before a number, as it does elsewhere.
  ['44', '', { uid: 45, gid: 46, groups: [46] }],
])('findAccount finds user "%s" and group "%s"', (user, group, account) => {
  expect(findAccount(user, group, files)).toEqual(account)
})

test.each([
  ['nobody', '', /^set flag -user to "nobody": not in .*passwd; name one that is, or give its number$/],
  ['1234', '', /^set flag -user to "1234": not in .*passwd; name its group by -group$/],
  ['root', '', /^set flag -user to "root": is root, as before/],
  ['0', '70', /^set flag -user to "0": is root, as before/],
  ['derper', 'nogroup', /^set flag -group to "nogroup": not in .*group; name one that is, or give its number$/],
  ['4294967295', '70', /^set flag -user to "4294967295": not in/],
])('findAccount refuses user "%s" with group "%s"', (user, group, message) => {
  expect(() => findAccount(user, group, files)).toThrow(message)
})

test('findAccount takes numbers where no accounts are listed', () => {
  const none = { passwd: join(directory, 'none'), group: join(directory, 'none') }
  expect(findAccount('1234', '70', none)).toEqual({ uid: 1234, gid: 70, groups: [70] })
})
