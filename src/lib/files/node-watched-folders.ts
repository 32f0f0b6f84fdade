/**
 * Reports when files may have changed, symbolic links on the way to them included.
 *
 * Tools replace files by renaming others into place or by switching a link, often to a folder. So folders are watched:
 * all those in which a step of the path can change.
 */

import { type FSWatcher, watch } from 'node:fs'
import { readlink, statfs } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'

/** Maximum links followed for one file, as in the operating system. */
const MAX_LINKS = 40

/**
 * Types of network file systems on Linux: NFS, AFS, Ceph, Coda, SMB, CIFS, SMB2, 9P, FUSE, Lustre, VirtualBox.
 *
 * The system reports no changes that others make there, and asking it to may block the event loop.
 */
const NETWORK_TYPES: ReadonlySet<number> = new Set([
  0x6969, 0x5346414f, 0xc36400, 0x73757245, 0x517b, 0xff534d42, 0xfe534d42, 0x1021997, 0x65735546, 0xbd00bd0,
  0x786f4256,
])

/** Returns the type of the file system of a folder. */
export type FileSystemType = (folder: string) => Promise<number>

const fileSystemType: FileSystemType = async folder => (await statfs(folder)).type

/**
 * The folders to watch for changes of the path to `path`: its own, and those of each link on the way and its target.
 *
 * Those on network file systems are left out. May never settle if a folder does not respond.
 */
export async function watchableFoldersOf(
  path: string,
  typeOf: FileSystemType = fileSystemType,
): Promise<ReadonlySet<string>> {
  const watchable = new Set<string>()
  // One after the other, as each holds a thread.
  for (const folder of await foldersOf(path)) if (await isLocal(folder, typeOf)) watchable.add(folder)
  return watchable
}

async function isLocal(folder: string, typeOf: FileSystemType): Promise<boolean> {
  try {
    return !NETWORK_TYPES.has(await typeOf(folder))
  } catch {
    // No such folder: there is nothing to watch until the next check.
    return false
  }
}

/** The folders in which the path to `path` can change: its own, and those of each link on the way and its target. */
export async function foldersOf(path: string): Promise<ReadonlySet<string>> {
  const folders = new Set<string>()
  let links = 0
  // Walks down from the root; a link is replaced by its target, relative to where the link is.
  let walked: string = sep
  let steps = stepsOf(resolve(path))
  while (steps.length > 0) {
    const [step = '', ...rest] = steps
    const at = join(walked, step)
    const target = await targetOf(at)
    if (target !== undefined || rest.length === 0) folders.add(dirname(at))
    if (target === undefined) {
      walked = at
      steps = rest
    } else {
      if (++links > MAX_LINKS) break
      const next = resolve(walked, target)
      walked = sep
      steps = [...stepsOf(next), ...rest]
    }
  }
  return folders
}

export interface FolderWatch {
  /** Watches exactly these folders from now on. */
  set(folders: ReadonlySet<string>): void
  close(): void
}

/** Watches a changing set of folders. Folders that cannot be watched are covered by periodic checks. */
export class WatchedFolders implements FolderWatch {
  readonly #onChange: () => void
  readonly #watchers = new Map<string, FSWatcher>()

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  set(folders: ReadonlySet<string>): void {
    for (const folder of this.#watchers.keys()) if (!folders.has(folder)) this.#drop(folder)
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#add(folder)
  }

  close(): void {
    this.set(new Set())
  }

  #add(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, this.#onChange)
      watcher.on('error', () => this.#drop(folder))
      this.#watchers.set(folder, watcher)
    } catch {
      // No such folder, or no watchers left in the system.
    }
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }
}

function stepsOf(path: string): string[] {
  return path.split(sep).filter(step => step !== '')
}

async function targetOf(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch {
    return undefined
  }
}
