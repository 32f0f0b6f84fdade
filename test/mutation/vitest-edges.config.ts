import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { mutationTests } from './vitest-options.ts'

// For src/listen, which needs sockets, and src/backplane, whose bus needs the NATS server of the interop tests.
const config: ViteUserConfig = defineConfig({
  test: mutationTests({
    include: [
      'src/{listen,backplane}/**/*.test.ts',
      'test/property/region-*.test.ts',
      'test/integration/{region,tls}-*.test.ts',
      'test/integration/http-{deadline,timeouts,upgrade}.test.ts',
      'test/integration/{accept-limits,early-upgrades,forwarded-for,hostile-tls,mounts,own-shortage,proxy-headers,shared-tally}.test.ts',
      'test/interop/nats-bus.test.ts',
    ],
    slow: ['test/integration/{hostile-tls,own-shortage,shared-tally}.test.ts'],
  }),
})

export default config
