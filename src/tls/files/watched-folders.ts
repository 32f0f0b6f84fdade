/**
 * Tells when something may have changed about files, links on the way to them included.
 *
 * Tools replace files by moving others into their place, or by turning a link, often one to a folder: so it is the
 * folders that are watched, all those in which a step of the way can be changed.
 */

import { type FSWatcher, watch } from 'node:fs'
import { readlink } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'

/** Links followed for one file: as many as the operating system would. */
const MAX_LINKS = 40

/** The folders in which the way to `path` can be changed: its own, and those of each link on the way and its target. */
export async function foldersOf(path: string): Promise<ReadonlySet<string>> {
  const folders = new Set<string>()
  let links = 0
  // Goes down from the root; what a link points at is gone through in its place, from where it leads.
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

/** What is needed of something that watches folders. */
export interface FolderWatch {
  /** Watches these folders and no others from now on. */
  set(folders: ReadonlySet<string>): void
  close(): void
}

/** Watches folders as they are named from time to time. What cannot be watched is left to those who look by the clock. */
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
