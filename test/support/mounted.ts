/** Programs that see another file system at one place: only root can mount, in a name space of its own. */

/** Whether it can be done here. Elsewhere the tests are skipped with one line. */
export const canMount: boolean = lookForRoot()

function lookForRoot(): boolean {
  if (process.platform === 'linux' && process.getuid?.() === 0) return true
  process.stderr.write('tests with other file systems are skipped: only root on Linux can mount them\n')
  return false
}

/**
 * Arguments of `unshare` that run the program behind them after `commands` of a shell, whose mounts are gone with it.
 *
 * @param place passed to the commands as `$0`.
 */
export function inMounts(commands: string, place: string): string[] {
  return ['--mount', 'sh', '-e', '-c', `${commands}\nexec "$@"`, place]
}

/** A disk of a megabyte that has no room left. */
export const FULL_DISK =
  'mount -t tmpfs -o size=1m full "$0"; head -c 2000000 /dev/zero 2>/dev/null > "$0/filler" || true'

/** A disk that holds what is in the folder `$0`, and cannot be written. */
export const READ_ONLY_DISK = 'mount --bind "$0" "$0"; mount -o remount,ro,bind "$0"'
