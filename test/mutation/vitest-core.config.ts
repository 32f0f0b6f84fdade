import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { mutationTests } from './vitest-options.ts'

// For src/protocol and src/server: only tests that need no child process and no Go.
const config: ViteUserConfig = defineConfig({
  test: mutationTests({
    include: [
      'src/{server,protocol,lib}/**/*.test.ts',
      'test/golden/{frames,login}.test.ts',
      'test/property/**/*.test.ts',
      'test/integration/{login,packets,limits,mesh,duplicates,drain,relay-*,region-*}.test.ts',
      'test/integration/{conn-end,debug-traffic,drain-deadline,fairness,own-shortage,read-pause,total-rate,turn-budget,workers}.test.ts',
    ],
    slow: [
      'src/server/reading/fair-share.test.ts',
      'test/integration/{own-shortage,total-rate,turn-budget,workers}.test.ts',
      'test/property/**',
    ],
    exclude: ['src/lib/**/node-*.test.ts', 'test/property/{fuzz,fuzzer,region-*}.test.ts'],
  }),
})

export default config
