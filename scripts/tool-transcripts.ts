/**
 * Output of the tools for docs/operate/: run against loopback relays, with varying values replaced. For the writer and
 * the test.
 */

import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main as derp } from '../src/cli/derp/derp.ts'
import { main as derpprobe } from '../src/cli/derpprobe/derpprobe.ts'
import { createStunServer } from '../src/stun/server.ts'
import { createSelfSigned } from '../src/tls/x509.ts'
import { ListeningRelay } from '../test/support/listening-relay.ts'
import { payload } from '../test/support/payload.ts'
import { until } from '../test/support/settle.ts'
import { testIo } from '../test/support/test-io.ts'
import type { TranscriptKind } from './transcript-pages.ts'

/** A text and its replacement in the transcript. */
type Replacement = readonly [text: string | RegExp, shown: string]

/** How their output is marked in pages. */
export const TOOL_OUTPUT: TranscriptKind = { marker: 'Transcript', writer: 'scripts/write-tool-transcripts.ts' }

/** The environment of the commands. */
export interface Stage {
  /** Folder with the scenes' files. */
  readonly directory: string
  /** A relay with a self-signed certificate. */
  readonly selfSigned: ListeningRelay
  /** SHA-256 of that certificate. */
  readonly pin: string
  /** Serves plain HTTP, as port 80 does. */
  readonly plain: ListeningRelay
  readonly stunPort: number
  /** Key of a `derp cat` that waits for a file. */
  readonly receiverKey: string
}

/** A command as shown to readers, and how it is run. */
export interface Scene {
  /** Default: `derp`. */
  readonly command?: keyof typeof COMMANDS
  readonly shown: string
  readonly args: (stage: Stage) => readonly string[]
  readonly stdin?: string
  readonly replace?: (stage: Stage) => readonly Replacement[]
}

const COMMANDS = { derp, derpprobe }

/** Runs all scenes; resolves to their transcripts by name. */
export async function recordTranscripts(scenes: Readonly<Record<string, Scene>>): Promise<Map<string, string>> {
  const stage = await setStage()
  try {
    const transcripts = new Map<string, string>()
    for (const [name, scene] of Object.entries(scenes)) transcripts.set(name, await record(scene, stage))
    return transcripts
  } finally {
    await stage.close()
  }
}

async function record(scene: Scene, stage: Stage): Promise<string> {
  const io = testIo({ stdin: scene.stdin ?? '' })
  const code = await COMMANDS[scene.command ?? 'derp'](scene.args(stage), io)
  const lines = [
    `$ ${scene.shown}`,
    `${io.stderr}${io.stdout}`.trimEnd(),
    ...(code === 0 ? [] : [`[exit code ${code}]`]),
  ]
  const replacements: readonly Replacement[] = [[`${stage.directory}/`, ''], ...(scene.replace?.(stage) ?? [])]
  return replacements.reduce((text, [from, to]) => text.replaceAll(from, to), lines.join('\n'))
}

async function setStage(): Promise<Stage & { close(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'transcripts-'))
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(directory, name), text)
  const certificate = await createSelfSigned({
    commonName: '127.0.0.1',
    keyType: 'P-256',
    serialHex: '0102',
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 365 * 86_400_000),
    serverIp: '127.0.0.1',
  })
  const pin = new X509Certificate(certificate.certificate).fingerprint256.replaceAll(':', '').toLowerCase()
  const selfSigned = await ListeningRelay.start({ tls: { hostname: '127.0.0.1', certificate } })
  const plain = await ListeningRelay.start()
  const stun = createStunServer({ port: 0, host: '127.0.0.1' })
  const { port: stunPort } = await stun.listen()
  await writeFile(join(directory, 'lab.json'), JSON.stringify(labMap(selfSigned.port, stunPort, pin)))
  await writeFile(join(directory, 'backup.tar'), payload(2_500_000, 1))
  const receiver = testIo()
  const received = derp(['cat', '--file', join(directory, 'copy.tar'), `http://127.0.0.1:${plain.port}`], receiver)
  await until(() => receiver.stderr.includes('nodekey:'), 'derp cat prints its key')
  const close = async () => {
    receiver.interrupt()
    await received
    await selfSigned[Symbol.asyncDispose]()
    await plain[Symbol.asyncDispose]()
    await stun.close()
    await rm(directory, { recursive: true })
  }
  return { directory, selfSigned, pin, plain, stunPort, receiverKey: receiver.stderr.trim(), close }
}

/** One region that works, and one where nothing listens. */
function labMap(derpPort: number, stunPort: number, pin: string): object {
  const host = { HostName: '127.0.0.1', IPv4: '127.0.0.1', IPv6: 'none' }
  const lab = {
    Name: '900a',
    RegionID: 900,
    ...host,
    DERPPort: derpPort,
    STUNPort: stunPort,
    CertName: `sha256-raw:${pin}`,
  }
  const off = { Name: '901a', RegionID: 901, ...host, DERPPort: 9, STUNPort: -1 }
  const regions = [
    { RegionID: 900, RegionCode: 'lab', RegionName: 'Lab', Nodes: [lab] },
    { RegionID: 901, RegionCode: 'old', RegionName: 'Old lab', Nodes: [off] },
  ]
  return { Regions: Object.fromEntries(regions.map(region => [region.RegionID, region])) }
}

/** Files of the scenes. */
const FILES: Readonly<Record<string, string>> = {
  'policy.hujson': `// The policy file of a tailnet.
{
  "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}],
  "derpMap": {
    "OmitDefaultRegions": true,
    "Regions": {
      "900": {
        "RegionID": 900, "RegionCode": "lab", "RegionName": "Lab",
        "Nodes": [{"Name": "900a", "HostName": "https://relay.example:8443"}],
      },
    },
  },
}
`,
  'old.yaml': `regions:
  900:
    regionid: 900
    regioncode: lab
    regionname: Lab
    nodes:
      - name: 900a
        regionid: 900
        hostname: relay.example
`,
  'new.yaml': `regions:
  900:
    regionid: 900
    regioncode: lab
    regionname: Lab
    nodes:
      - name: 900a
        regionid: 900
        hostname: relay.example
        derpport: 8443
      - name: 900b
        regionid: 900
        hostname: 192.0.2.7
        certname: sha256-raw:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
        stunport: -1
`,
}
