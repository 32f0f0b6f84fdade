/** `derp doctor`: finds out which layer of a relay is broken and how to fix it. */

import { LAYERS } from '../../diagnose/cause.ts'
import { diagnoseRelay, type RelayReport } from '../../diagnose/diagnose.ts'
import { nodePlatform } from '../../diagnose/node-platform.ts'
import type { DiagnoseOptions } from '../../diagnose/step.ts'
import { loadMeshKey } from '../derper/mesh-key-file.ts'
import { EXIT_OK, EXIT_USAGE } from '../exit.ts'
import { readKeyFile } from '../key-file.ts'
import { authoritiesWith, trustSystem } from '../trust.ts'
import { jsonReport } from './doctor/json-report.ts'
import { readSubject, type Subject } from './doctor/subject.ts'
import { conclusionText, relayTitle, stepLine } from './doctor/text-report.ts'
import { collect, readDuration, readPort } from './option-values.ts'
import { unusable } from './relay/relay-address.ts'
import { missingRelayFix } from './relay/relay-options.ts'
import type { AddSubcommand } from './subcommand.ts'

/** Exit code of the lowest layer; the other layers follow. */
const EXIT_FIRST_LAYER = 10

interface DoctorFlags {
  readonly ca?: string
  readonly pin?: string
  readonly token?: string
  readonly keyFile?: string[]
  readonly meshPskFile?: string
  readonly region?: string
  readonly stunPort?: number
  readonly httpPort?: number
  readonly timeout?: number
  readonly json?: boolean
}

export const addDoctor: AddSubcommand = (parent, { io, done }) => {
  parent
    .command('doctor')
    .description('find out which layer of a relay is broken, from DNS to the mesh, and how to fix it')
    .usage('[options] <relay>')
    .argument('[relay]', 'host or URL of a relay, or a DERP map: file, URL, or - for standard input')
    .option('--ca <file>', 'PEM file with additional CAs that your clients trust')
    .option('--pin <hash>', 'SHA-256 of the pinned certificate, as in CertName of a map')
    .option('--token <token>', 'token for admission')
    .option(
      '--key-file <file>',
      'key that the relay admits; given twice, the second is for tests between two clients',
      collect,
    )
    .option('--mesh-psk-file <file>', 'mesh key that the relays should have')
    .option('--region <id or code>', 'only this region of the map')
    .option('--stun-port <port>', 'STUN port, without a map (default: 3478)', readPort)
    .option('--http-port <port>', 'port of plain HTTP (default: 80)', readPort)
    .option('--timeout <duration>', 'time limit for each step (default: 5s)', readDuration)
    .option('--json', 'print JSON')
    .addHelpText('after', `\n${EXIT_HELP}`)
    .action(async (text: string | undefined, flags: DoctorFlags) => {
      if (text === undefined) throw unusable(`choose a relay: none was given; ${missingRelayFix()}`)
      const { pin, region, stunPort, httpPort } = flags
      const subject = await readSubject(text, { pin, region, ports: { stun: stunPort, plainHttp: httpPort } }, io)
      await trustSystem(io.env, problem => io.err(`derp: ${problem}\n`))
      const authorities = flags.ca === undefined ? undefined : await authoritiesWith(flags.ca)
      const platform = nodePlatform({ authorities })
      const options = { ...optionsOf(flags), signal: io.ended }
      const reports: RelayReport[] = []
      for (const { target, others } of subject.relays) {
        const onStep = flags.json ? undefined : (step: Parameters<typeof stepLine>[0]) => void io.out(stepLine(step))
        if (!flags.json) await io.out(`${reports.length > 0 ? '\n' : ''}${relayTitle(target)}\n`)
        const report = await diagnoseRelay({ target, others, platform, options, onStep })
        reports.push(report)
        if (!flags.json) await io.out(conclusionText(report))
      }
      for (const note of subject.notes) io.err(`derp: ${note}\n`)
      const code = exitCodeOf(reports, subject)
      if (flags.json) await io.out(jsonReport(reports, subject, code))
      if (code !== EXIT_OK) done(code)
    })
}

const EXIT_HELP = `Exit codes: 0 no failures, 2 usage error or invalid map, otherwise the layer of the first failure:
${LAYERS.map((layer, at) => `${EXIT_FIRST_LAYER + at} ${layer}`).join(', ')}.`

function optionsOf({ token, keyFile = [], meshPskFile, timeout: timeoutMs }: DoctorFlags): DiagnoseOptions {
  const [privateKey, peerKey] = keyFile.map(readKeyFile)
  return { token, privateKey, peerKey, meshKey: loadMeshKey(undefined, meshPskFile ?? ''), timeoutMs }
}

function exitCodeOf(reports: readonly RelayReport[], subject: Subject): number {
  const [first] = reports.flatMap(({ conclusion }) => (conclusion === undefined ? [] : [conclusion]))
  if (first !== undefined) return EXIT_FIRST_LAYER + LAYERS.indexOf(first.layer)
  return subject.isFaulty ? EXIT_USAGE : EXIT_OK
}
