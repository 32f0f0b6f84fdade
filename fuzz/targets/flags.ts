/** Flags, variables and configuration file of `derper`, up to its settings. */

import { DERPER_FLAGS } from '../../src/cli/derper/derper-flags.ts'
import { readSettings } from '../../src/cli/derper/derper-settings.ts'
import { readFlags } from '../../src/cli/flag-sources.ts'
import { DerpError } from '../../src/lib/derp-error.ts'
import { type FuzzTarget, must } from '../engine/target.ts'
import { utf8 } from '../support/input-reader.ts'

const CONFIG_PATH = '/config.json'
/** A line that begins so is a variable; one that begins with a brace starts the configuration file. */
const VARIABLE = /^(DERPER_\w+)=(.*)$/s

export const target: FuzzTarget = {
  about:
    'Lines of arguments, variables and a configuration file: only `DerpError` with `ERR_DERP_CONFIG_INVALID`; settings read twice are the same.',
  seeds: [
    '-a\n:443\n--stun=false\n-hostname=derp.example.com',
    '-dev\n-stun-port=3479\nDERPER_HTTP_PORT=8080\n{"verify-clients":true,"accept-connection-limit":1.5}',
    '-a=127.0.0.1:0\n-mesh-with=a:1/1.2.3.4,b\n-drain-timeout=1m30s\n-workers=2',
    '-dev\n-rate-config=\n-trusted-proxies=10.0.0.0/8,::1\n-proxy-protocol',
    '-dev\n-verify-client-url=http://u:secret@127.0.0.1/\n-verify-client-url-fail-open=false',
    '-dev\nDERPER_MESH_PSK=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
    '-h',
  ].map(text => Buffer.from(text)),
  words: [
    '\n',
    '-',
    '--',
    '=',
    '\n{"',
    '":',
    'DERPER_',
    '1h',
    '-1',
    '1e9',
    '0x10',
    'true',
    'localhost',
    '[::1]:0',
    ...Object.keys(DERPER_FLAGS).map(name => `-${name}=`),
  ],
  maxBytes: 1_024,
  run: async input => {
    const { args, env, config } = split(utf8(input))
    try {
      return await settings(args, env, config)
    } catch (error) {
      if (!(error instanceof DerpError)) throw error
      must(error.code === 'ERR_DERP_CONFIG_INVALID', `errors have one code, not ${error.code}`)
      must(error.message !== '', 'an error says why')
      return 'refused'
    }
  },
}

async function settings(args: readonly string[], env: NodeJS.ProcessEnv, config: string): Promise<string> {
  const read = async (path: string) => {
    if (path === CONFIG_PATH) return config
    throw new Error('there is no such file')
  }
  const flags = await readFlags('derper', DERPER_FLAGS, { args, env, read })
  if (flags.help) return 'help'
  const [once, twice] = await Promise.all(
    [1, 2].map(async () => JSON.stringify(await readSettings(flags.values, flags.given, env))),
  )
  must(once === twice, 'settings read twice are the same')
  return JSON.stringify(flags.values)
}

function split(text: string): { args: string[]; env: NodeJS.ProcessEnv; config: string } {
  const at = /^\{/m.exec(text)?.index
  const config = at === undefined ? '' : text.slice(at)
  const args = at === undefined ? [] : [`-config=${CONFIG_PATH}`]
  const env: NodeJS.ProcessEnv = {}
  for (const line of text.slice(0, at).split('\n')) {
    const [, name, value] = VARIABLE.exec(line) ?? []
    if (name !== undefined) env[name] = value
    else if (line !== '') args.push(line)
  }
  return { args, env, config }
}
