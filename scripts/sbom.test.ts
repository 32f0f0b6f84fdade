import { expect, test } from 'vitest'
import { packagesIn, sbomOf } from './sbom.ts'

const component = (name: string, version: string) => ({ 'bom-ref': `${name}@${version}`, name, version })
const all = {
  bomFormat: 'CycloneDX',
  components: [
    { ...component('@a/b', '1.0.0'), scope: 'optional' },
    ...['2.0.0', '3.0.0'].map(version => component('c', version)),
    component('tool', '1.0.0'),
  ],
  dependencies: [
    { ref: 'derphttp@0.1.0', dependsOn: ['@a/b@1.0.0', 'tool@1.0.0'] },
    { ref: '@a/b@1.0.0', dependsOn: ['c@2.0.0', 'tool@1.0.0'] },
    { ref: 'tool@1.0.0' },
    { ref: 'c@2.0.0' },
  ],
}

test('packages are read from a file of licences, and its other lines are not', () => {
  const text = 'yaml 2.9.1\n  Copyright Eemeli Aro\n\nVersion 2.0, January 2004\n@noble/curves 2.4.0\nMIT License\n'
  expect(packagesIn(text)).toEqual(new Set(['yaml 2.9.1', '@noble/curves 2.4.0']))
})

test('the bill has what is shipped, in the version that is, and depends on nothing else', () => {
  expect(sbomOf(all, new Set(['@a/b 1.0.0', 'c 2.0.0']))).toEqual({
    bomFormat: 'CycloneDX',
    components: [component('@a/b', '1.0.0'), component('c', '2.0.0')].map(each => ({
      ...each,
      scope: 'required',
      properties: [],
    })),
    dependencies: [
      { ref: 'derphttp@0.1.0', dependsOn: ['@a/b@1.0.0', 'c@2.0.0'] },
      { ref: '@a/b@1.0.0', dependsOn: ['c@2.0.0'] },
      { ref: 'c@2.0.0', dependsOn: [] },
    ],
  })
})

test('what is shipped and not locked is an error', () => {
  expect(() => sbomOf(all, new Set(['c 4.0.0']))).toThrow('list what is shipped: not in the lockfile: c 4.0.0')
})
