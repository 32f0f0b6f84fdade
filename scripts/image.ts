/**
 * The container image, made without a container engine: its Dockerfile's build stage runs in an overlay of this machine, and what
 * the last stage copies from there is put into a root that holds glibc alone.
 *
 * Knows the instructions that the Dockerfile has, and no others.
 */

import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { BareRoot } from '../test/support/bare-root.ts'
import { inOverlay } from '../test/support/overlay-root.ts'

/** For all steps: they install every package. */
const BUILD_MS = 600_000
const DOCKERFILE = 'deploy/Dockerfile'

interface Instruction {
  readonly name: string
  readonly value: string
}

/** The build stage and the last one. */
function stagesOf(dockerfile: string): readonly [Instruction[], Instruction[]] {
  const lines = dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
  const all = lines.flatMap(line => {
    const [, name, value] = /^([A-Z]+) (.*)$/.exec(line) ?? []
    return name === undefined || value === undefined ? [] : [{ name, value }]
  })
  const last = all.findLastIndex(({ name }) => name === 'FROM')
  return [all.slice(1, last), all.slice(last + 1)]
}

/** What a container engine is given: the files that the ignore file next to the Dockerfile lets through. */
function writeContext(folder: string): void {
  const [first, ...rules] = readFileSync(`${DOCKERFILE}.dockerignore`, 'utf8').trim().split('\n')
  if (first !== '*' || rules.pop() !== '**/node_modules') throw new Error('read the ignore file: unknown rules')
  for (const rule of rules) {
    const path = rule.replace(/^!/, '')
    cpSync(path, join(folder, path), { recursive: true, filter: each => basename(each) !== 'node_modules' })
  }
}

/** Shell commands for an instruction of the build stage, with the context in `/tmp/in/context`. */
function commandOf({ name, value }: Instruction): string {
  switch (name) {
    case 'WORKDIR':
      return `mkdir -p ${value} && cd ${value}`
    case 'COPY': {
      const words = value.split(' ')
      const to = words.pop()
      // The contents of a folder are copied, and files into one.
      return words
        .map(
          from =>
            `f=/tmp/in/context/${from}; if [ -d $f ]; then mkdir -p ${to} && cp -r $f/. ${to}/; else cp $f ${to}; fi`,
        )
        .join('\n')
    }
    case 'ARG':
      return `: "\${${value}=}"`
    case 'ENV':
      return `export ${value}`
    case 'RUN':
      return `( ${value} ) >&2`
    default:
      throw new Error(`build the image: unknown instruction ${name}`)
  }
}

/** Builds the image as a root. @throws Error with what a step printed. */
export async function buildImage(commit: string | undefined): Promise<BareRoot> {
  const [build, last] = stagesOf(readFileSync(DOCKERFILE, 'utf8'))
  const copies = last.filter(({ name }) => name === 'COPY').map(({ value }) => copyOf(value))
  const folder = mkdtempSync(join(tmpdir(), 'image-'))
  try {
    writeContext(join(folder, 'context'))
    const arg = commit === undefined ? [] : [`COMMIT=${commit}`]
    const keep = copies.map(({ from }) => `mkdir -p /tmp/in/built${dirname(from)}\ncp -r ${from} /tmp/in/built${from}`)
    await inOverlay(folder, [...arg, ...build.map(commandOf), ...keep].join('\n'), BUILD_MS)
    const root = new BareRoot()
    for (const { from, to, owner, mode } of copies) {
      const built = join(folder, 'built', from)
      const path = join(root.path, to)
      if (to.startsWith('/usr/bin/')) root.add(built, to)
      else {
        mkdirSync(dirname(path), { recursive: true })
        cpSync(built, path, { recursive: true })
      }
      if (owner !== undefined) chownSync(path, owner, owner)
      if (mode !== undefined) chmodSync(path, mode)
    }
    return root
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function copyOf(value: string): { from: string; to: string; owner?: number; mode?: number } {
  const [, flags = '', from = '', to = ''] = /^((?:--\S+ )+)(\S+) (\S+)$/.exec(value) ?? []
  const [, owner] = /--chown=(\d+)/.exec(flags) ?? []
  const [, mode] = /--chmod=(\d+)/.exec(flags) ?? []
  return {
    from,
    to,
    ...(owner !== undefined && { owner: Number(owner) }),
    ...(mode !== undefined && { mode: Number.parseInt(mode, 8) }),
  }
}
