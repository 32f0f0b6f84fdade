import { defineConfig, type ViteUserConfig } from 'vitest/config'

// What Stryker runs per mutant: only tests that need no socket, no child process and no Go.
const config: ViteUserConfig = defineConfig({
  test: {
    include: [
      'src/{server,protocol,lib}/**/*.test.ts',
      'test/golden/{frames,login}.test.ts',
      'test/property/**/*.test.ts',
      'test/integration/{login,packets,limits,mesh,duplicates,drain,relay-*}.test.ts',
    ],
    // A frame that never comes is reported after 5 s; less would count a slow machine as a mutant that was found.
    env: { TEST_PATIENCE_MS: '5000' },
    testTimeout: 10_000,
  },
})

export default config
