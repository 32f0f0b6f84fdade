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
  // Names take precedence over IDs, as in other programs.
  ['44', '', { uid: 45, gid: 46, groups: [46] }],
])('findAccount finds user "%s" and group "%s"', (user, group, account) => {
  expect(findAccount(user, group, files)).toEqual(account)
})

test.each([
  ['nobody', '', /^set flag -user to "nobody": not in .*passwd; use a listed name, or a numeric ID$/],
  ['1234', '', /^set flag -user to "1234": not in .*passwd; name its group with -group$/],
  ['root', '', /^set flag -user to "root": is root; name another/],
  ['0', '70', /^set flag -user to "0": is root; name another/],
  ['derper', 'nogroup', /^set flag -group to "nogroup": not in .*group; use a listed name, or a numeric ID$/],
  ['4294967295', '70', /^set flag -user to "4294967295": not in/],
])('findAccount refuses user "%s" with group "%s"', (user, group, message) => {
  expect(() => findAccount(user, group, files)).toThrow(message)
})

test('findAccount accepts IDs without passwd and group files', () => {
  const none = { passwd: join(directory, 'none'), group: join(directory, 'none') }
  expect(findAccount('1234', '70', none)).toEqual({ uid: 1234, gid: 70, groups: [70] })
})
