/** This machine's file system with a layer above it: what a program installs there is gone with the layer. */

import { execFile } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Program, startProgram } from './process.ts'

/** Ends what hangs. */
const TIMEOUT_MS = 120_000
/** Whatever is started in the root ends with the commands. */
const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child']

const SETUP = `
mount -t tmpfs layer "$0" && mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay root -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
mount -t proc proc "$0/root/proc" && mount -t devtmpfs dev "$0/root/dev"
mkdir "$0/root/tmp/in" && mount --bind "$1" "$0/root/tmp/in"
exec chroot "$0/root" sh -e -c "$2"`

const enter = (layer: string, folder: string, commands: string) =>
  [NAMESPACES, ['sh', '-e', '-c', SETUP, layer, folder, commands]].flat()

/**
 * Runs shell commands in such a root; resolves to what they print.
 *
 * @param folder found there as `/tmp/in`.
 */
export async function inOverlay(folder: string, commands: string, timeoutMs: number = TIMEOUT_MS): Promise<string> {
  const layer = mkdtempSync(join(tmpdir(), 'overlay-'))
  const limits = { timeout: timeoutMs, killSignal: 'SIGKILL' } as const
  try {
    const { stdout } = await promisify(execFile)('unshare', enter(layer, folder, commands), limits)
    return stdout
  } finally {
    // The mounts have gone with the process.
    rmdirSync(layer)
  }
}

/** Starts shell commands in such a root, the last one to be stopped; calls `use` meanwhile. */
export async function whileInOverlay(
  folder: string,
  commands: string,
  use: (program: Program) => Promise<void>,
): Promise<void> {
  const layer = mkdtempSync(join(tmpdir(), 'overlay-'))
  try {
    // The shell stays as the first process of the namespace: when it ends, all others do, under any account.
    const program = await startProgram('unshare', enter(layer, folder, `${commands}\ntrue`))
    try {
      await use(program)
    } finally {
      // It ignores SIGTERM.
      await program.stop('SIGKILL')
    }
  } finally {
    rmdirSync(layer)
  }
}
