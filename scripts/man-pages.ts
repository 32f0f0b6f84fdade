/** The manual pages of the commands, from their tables of flags: for the packages, and for their test. */

import type { Command } from 'commander'
import { createProgram } from '../src/cli/derp/derp.ts'
import { DERP_MAP_FLAGS } from '../src/cli/derper/derp-map.ts'
import { DERPER_SUMMARY } from '../src/cli/derper/derper.ts'
import { DERPER_SECTIONS } from '../src/cli/derper/derper-flags.ts'
import { DERPPROBE_SUMMARY } from '../src/cli/derpprobe/derpprobe.ts'
import { DERPPROBE_SECTIONS } from '../src/cli/derpprobe/probe-flags.ts'
import type { FlagSpec } from '../src/cli/go-flags.ts'
import { sortedFlags, type UsageSection } from '../src/cli/usage.ts'
import { commitSeconds } from './commit.ts'
import { readManifest } from './licences.ts'
import { type ManItem, type ManPage, type ManPart, manPage } from './man-page.ts'

const TRUST: ManItem = {
  term: 'SSL_CERT_FILE, SSL_CERT_DIR',
  text: 'CAs to trust in place of those of the system: a file, and folders separated by colons.',
}

const PROXIES: ManItem = {
  term: 'HTTPS_PROXY, HTTP_PROXY, NO_PROXY',
  text: 'Proxies for connections to relays, and the hosts that need none.',
}

const DERPER_ENDING: readonly ManPart[] = [
  {
    title: 'ENVIRONMENT',
    items: [
      {
        term: 'DERPER_*',
        text: 'Sets a flag: DERPER_STUN_PORT is -stun-port. For secrets also with _FILE: DERPER_ACME_EAB_KEY_FILE names a file that holds -acme-eab-key.',
      },
      { term: 'TAILSCALE_DERPER_MESH_KEY', text: 'The mesh key, with -dev.' },
      { term: 'TS_DEBUG_KEY_PATH', text: 'File with a key that opens the pages below /debug/ as ?debugkey=KEY.' },
      { term: 'TS_ALLOW_DEBUG_IP', text: 'Address from which the pages below /debug/ may be read.' },
      TRUST,
    ],
  },
  {
    title: 'FILES',
    items: [
      { term: '/var/lib/derper/derper.key', text: 'The private key of a relay run as root or by the Debian package.' },
      settingsFile('derper'),
    ],
  },
  {
    title: 'SIGNALS',
    items: [
      { term: 'SIGTERM, SIGINT', text: 'Drains: clients are moved elsewhere over -drain-time, then the relay exits.' },
      { term: 'SIGHUP', text: 'Reads certificates, keys, tokens, -rate-config and live settings of -config again.' },
    ],
  },
  exitStatus({ 0: 'Stopped by a signal, or the configuration is valid.', 1: 'Failed while running.' }),
  {
    title: 'EXAMPLES',
    items: [
      { term: 'derper -dev', text: 'Relays on loopback, to try it.' },
      { term: 'derper -hostname relay.example.com', text: "Relays on port 443 with a certificate from Let's Encrypt." },
      {
        term: 'derper check-config -hostname relay.example.com',
        text: 'Shows what that would do, and starts nothing.',
      },
    ],
  },
]

function exitStatus(meanings: Readonly<Record<number, string>>): ManPart {
  const all = { ...meanings, 2: 'Wrong flags, files or ports; nothing was started.' }
  return { title: 'EXIT STATUS', items: Object.entries(all).map(([term, text]) => ({ term, text })) }
}

function settingsFile(command: string): ManItem {
  return {
    term: `/etc/derper/${command}.env`,
    text: 'Settings of the service of the Debian package, as environment variables; read at start.',
  }
}

function derper(): readonly ManPart[] {
  const [what = '', ...others] = DERPER_SUMMARY.split('\n\n')
  const commands = DERPER_SUMMARY.split('\n').flatMap(line => {
    const [, term, text] = /^ {2}(\S.*?) {2,}(.*)$/.exec(line) ?? []
    return term === undefined ? [] : [{ term, text: `${text}.` }]
  })
  return [
    { title: 'SYNOPSIS', lines: commands.map(({ term }) => term) },
    { title: 'DESCRIPTION', paragraphs: [what, unfolded(others.at(-1))], items: commands },
    ...options([...DERPER_SECTIONS, { title: 'For derp-map', flags: DERP_MAP_FLAGS }]),
    ...DERPER_ENDING,
    seeAlso('derp(1)', 'derpprobe(8)'),
  ]
}

function derpprobe(): readonly ManPart[] {
  return [
    { title: 'SYNOPSIS', lines: ['derpprobe [flags]'] },
    { title: 'DESCRIPTION', paragraphs: DERPPROBE_SUMMARY.split('\n\n').map(unfolded) },
    ...options(DERPPROBE_SECTIONS),
    { title: 'ENVIRONMENT', items: [TRUST] },
    { title: 'FILES', items: [settingsFile('derpprobe')] },
    exitStatus({ 0: 'Stopped by a signal, or all probes of -once passed.', 1: 'A probe of -once failed.' }),
    seeAlso('derper(8)', 'derp(1)'),
  ]
}

function options(sections: readonly UsageSection[]): ManPart[] {
  const parts = sections.map(({ title, flags }) => ({ title, isNested: true, items: sortedFlags(flags).map(flagItem) }))
  return [{ title: 'OPTIONS' }, ...parts]
}

function flagItem([name, { kind, default: value, help }]: [string, FlagSpec]): ManItem {
  const shown = kind === 'string' ? `"${value}"` : value
  return {
    term: `-${name}`,
    ...(kind !== 'bool' && { argument: kind }),
    text: `${help}${value === '' ? '' : ` (default ${shown})`}`,
  }
}

function derp(): readonly ManPart[] {
  let ending = ''
  const out = async (text: string | Uint8Array) => {
    ending += text
  }
  const { stdin, env } = process
  const io = { stdin, env, out, err: () => {}, ended: new AbortController().signal, columns: undefined }
  const program = createProgram({ io, done: () => {} })
  const commands = leavesOf(program).map(command => {
    ending = ''
    command.outputHelp()
    return commandPart(command, ending.slice(command.helpInformation().length))
  })
  return [
    { title: 'SYNOPSIS', lines: ['derp COMMAND [options]', 'derp --version'] },
    {
      title: 'DESCRIPTION',
      paragraphs: ['Tools for DERP relays and maps. Begin with derp doctor if a relay does not work.'],
    },
    { title: 'COMMANDS' },
    ...commands,
    { title: 'ENVIRONMENT', items: [TRUST, PROXIES] },
    seeAlso('derper(8)', 'derpprobe(8)'),
  ]
}

/** Subcommands without subcommands, in the order of the help text. */
function leavesOf(command: Command): Command[] {
  const shown = command
    .createHelp()
    .visibleCommands(command)
    .filter(each => each.name() !== 'help')
  return shown.length === 0 ? [command] : shown.flatMap(leavesOf)
}

function commandPart(command: Command, ending: string): ManPart {
  const help = command.createHelp()
  const args = help.visibleArguments(command)
  const flags = help.visibleOptions(command).filter(({ long }) => long !== '--help')
  return {
    title: help.commandUsage(command),
    isNested: true,
    paragraphs: [`${capital(command.description())}.`, ...(ending.trim() === '' ? [] : [unfolded(ending.trim())])],
    items: [
      ...args.map(each => ({ term: each.name(), text: help.argumentDescription(each) })),
      ...flags.map(each => ({ ...optionTerm(help.optionTerm(each)), text: help.optionDescription(each) })),
    ],
  }
}

/** `--to <nodekey>` as what is typed and what is replaced. */
function optionTerm(shown: string): Pick<ManItem, 'term' | 'argument'> {
  const [, term = shown, argument] = /^(.*?)(?: [<[](.*)[>\]])?$/.exec(shown) ?? []
  return { term, ...(argument !== undefined && { argument }) }
}

function seeAlso(...pages: string[]): ManPart {
  return { title: 'SEE ALSO', paragraphs: [pages.join(', ')] }
}

function unfolded(text = ''): string {
  return text.replaceAll('\n', ' ')
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

/** The pages by file name, such as `derper.8`. */
export function manPages(): ReadonlyMap<string, string> {
  const common = { version: readManifest('.').version, date: new Date(commitSeconds() * 1_000) }
  const pages: readonly ManPage[] = [
    { ...common, command: 'derp', section: 1, summary: 'tools for DERP relays and maps', parts: derp() },
    { ...common, command: 'derper', section: 8, summary: 'DERP relay', parts: derper() },
    { ...common, command: 'derpprobe', section: 8, summary: 'prober of DERP relays', parts: derpprobe() },
  ]
  return new Map(pages.map(page => [`${page.command}.${page.section}`, manPage(page)]))
}
