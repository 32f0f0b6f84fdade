/** `derp map make`: generates a DERP map from running relays. */

import { buildMap, DEFAULT_NAMING, parseRegionId, type RegionNaming } from '../../derp-map/build-map.ts'
import { formatDerpMap, MAP_FORMATS, parseMapFormat, takesComments } from '../../derp-map/map-formats.ts'
import { surveyRelay } from '../../derp-map/relay-survey.ts'
import { parseRelayTarget } from '../../derp-map/relay-target.ts'
import { trustSystem } from '../../trust.ts'
import { readPort } from '../option-values.ts'
import type { AddSubcommand } from '../subcommand.ts'

interface MakeOptions {
  readonly for: string
  readonly ca?: string
  readonly stunPort?: number
  readonly regionId: string
  readonly regionCode: string
  readonly regionName: string
  readonly separate?: boolean
  readonly omitDefaultRegions?: boolean
}

export const addMake: AddSubcommand = (parent, { io }) => {
  parent
    .command('make')
    .description('probe running relays and print the DERP map for them')
    .argument('<relays...>', 'host, host:port or https URL of each relay')
    .requiredOption(`--for <${MAP_FORMATS.join('|')}>`, 'output format')
    .option('--ca <file>', 'PEM file with additional CAs that your clients trust')
    .option('--stun-port <port>', 'STUN port of the relays (default: 3478)', readPort)
    .option('--region-id <number>', 'ID of the region, or of the first one', String(DEFAULT_NAMING.id))
    .option('--region-code <code>', 'region code, a short name', DEFAULT_NAMING.code)
    .option('--region-name <name>', 'region name, shown to users', DEFAULT_NAMING.name)
    .option('--separate', 'one region per relay, for relays that are not meshed')
    .option('--omit-default-regions', "use only these relays, not Tailscale's")
    .action(async (relays: string[], options: MakeOptions) => {
      const format = parseMapFormat(options.for)
      const naming = namingOf(options)
      const targets = relays.map(parseRelayTarget)
      await trustSystem(io.env, problem => io.err(`derp: ${problem}\n`))
      const survey = { caFile: options.ca, stunPort: options.stunPort, signal: io.ended }
      const surveys = await Promise.all(targets.map(target => surveyRelay(target, survey)))
      const notes = [...meshNotes(targets.length, naming), ...surveys.flatMap(each => each.notes)]
      const map = buildMap(
        surveys.map(({ node }) => node),
        naming,
      )
      if (!takesComments(format)) for (const note of notes) io.err(`derp: ${note}\n`)
      await io.out(formatDerpMap(map, format, notes))
    })
}

function namingOf(options: MakeOptions): RegionNaming {
  return {
    id: parseRegionId(options.regionId),
    code: options.regionCode,
    name: options.regionName,
    isSeparate: options.separate ?? false,
    omitDefaultRegions: options.omitDefaultRegions ?? false,
  }
}

function meshNotes(count: number, { isSeparate }: RegionNaming): string[] {
  if (count < 2 || isSeparate) return []
  return ['All relays of a region must be meshed (-mesh-with); otherwise use --separate.']
}
