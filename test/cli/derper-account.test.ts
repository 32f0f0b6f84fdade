/** The account that the command runs as: root binds ports and reads keys, then switches users. */

import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Client, NodePrivateKey } from '../../src/entries/derphttp.ts'
import { commandPath } from '../support/commands.ts'
import { CRASH_HOOK } from '../support/crash-hook.ts'
import { type Program, startProgram } from '../support/process.ts'
import { nextMessage } from '../support/relay.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { served } from '../support/served.ts'

const DERPER = commandPath('derper')
/** IDs without passwd or group entries. */
const [UID, GID] = [54_321, 54_322]

const isRoot = process.getuid?.() === 0
if (!isRoot) process.stderr.write('derper-account: skipped, only root can switch users\n')

let directory: string
const programs: Program[] = []
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'derper-account-'))
})
afterEach(() => Promise.all(programs.splice(0).map(program => program.stop('SIGKILL'))))
afterAll(() => rmSync(directory, { recursive: true }))

async function start(...flags: string[]): Promise<Program> {
  const program = await startProgram(RUNTIME_PATH, [DERPER, '-stun=false', ...flags], { env: CRASH_HOOK })
  programs.push(program)
  return program
}

/** A free port that only root may bind. */
async function lowPort(): Promise<number> {
  for (let port = 1_023; port > 512; port--) {
    const server = createServer()
    const bound = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!bound) continue
    await new Promise(resolve => server.close(resolve))
    return port
  }
  throw new Error('find a port below 1024: all in use')
}

/** The numbers of a line in /proc/PID/status. */
function statusOf({ child }: Program, name: string): number[] {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return (new RegExp(`^${name}:(.*)$`, 'm').exec(status)?.[1] ?? '').trim().split(/\s+/).map(Number)
}

async function refused(...flags: string[]): Promise<string> {
  const program = await start('-dev', '-a', '127.0.0.1:0', ...flags)
  expect(await program.exit()).toBe(2)
  return program.stderr
}

describe.skipIf(!isRoot)('derper -user', () => {
  test('drops root privileges for good once its port is bound and its key is read, and relays', async () => {
    const [port, key] = [await lowPort(), join(directory, 'private', 'derper.key')]
    const flags = ['-a', `127.0.0.1:${port}`, '-c', key, '-user', String(UID), '-group', String(GID)]
    const program = await start(...flags)
    await served(program)
    expect(statusOf(program, 'Uid')).toEqual([UID, UID, UID, UID])
    expect(statusOf(program, 'Gid')).toEqual([GID, GID, GID, GID])
    expect(statusOf(program, 'Groups')).toEqual([GID])
    expect(statusOf(program, 'CapEff')).toEqual([0])
    expect(program.stderr).toMatch(/"msg":"dropped root privileges"/)
    // Only root reads it again, at the next start.
    expect([statSync(key).uid, statSync(key).mode & 0o777]).toEqual([0, 0o600])

    const url = `http://127.0.0.1:${port}/derp`
    const [a, b] = [new Client(NodePrivateKey.generate(), url), new Client(NodePrivateKey.generate(), url)]
    await Promise.all([nextMessage(a, 'serverInfo'), nextMessage(b, 'serverInfo')])
    await a.send(b.selfPublicKey(), Uint8Array.of(1))
    expect(await nextMessage(b, 'receivedPacket')).toMatchObject({ data: Uint8Array.of(1) })
    await Promise.all([a.close(), b.close()])
    program.child.kill('SIGTERM')
    expect(await program.exit()).toBe(0)
  })

  test('warns about files that it can no longer read without root privileges, such as certificates', async () => {
    const certificates = mkdtempSync(join(directory, 'certs-'))
    const tls = ['-certmode', 'manual', '-hostname', '127.0.0.1', '-certdir', certificates, '-http-port=-1']
    const flags = [
      '-a',
      '127.0.0.1:0',
      '-c',
      join(directory, 'tls.key'),
      ...tls,
      '-user',
      String(UID),
      '-group',
      String(GID),
    ]
    const program = await start(...flags)
    const [line] = await program.stderrMatch(/^.*"flag":"-certdir".*$/m)
    expect(JSON.parse(line)).toMatchObject({ level: 'warn', path: join(certificates, '127.0.0.1.crt'), use: 'read' })
    await program.stop('SIGKILL')
    chmodSync(directory, 0o755)
    chmodSync(certificates, 0o755)
    for (const ending of ['crt', 'key']) chmodSync(join(certificates, `127.0.0.1.${ending}`), 0o644)
    const again = await start(...flags)
    await served(again)
    expect(again.stderr).not.toContain('"flag":"-certdir"')
  })

  test('with -workers drops them on all threads, and continues with the remaining workers when one crashes', async () => {
    const [port, key] = [await lowPort(), join(directory, 'workers', 'derper.key')]
    const flags = ['-a', `127.0.0.1:${port}`, '-c', key, '-user', String(UID), '-group', String(GID), '-workers', '2']
    const program = await start(...flags)
    await served(program)
    const threads = readdirSync(`/proc/${program.child.pid}/task`)
    expect(threads.length).toBeGreaterThan(2)
    for (const thread of threads) {
      const status = readFileSync(`/proc/${program.child.pid}/task/${thread}/status`, 'utf8')
      expect(/^Uid:(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/).map(Number)).toEqual([UID, UID, UID, UID])
    }
    await program.stderrMatch(/"msg":"a failed worker cannot be replaced under another user/)
    program.child.kill('SIGUSR2')
    await program.stderrMatch(/"msg":"worker crashed"/)
    await program.stderrMatch(/"reason":"listen E(?:ADDRINUSE|ACCES)/)
    for (let n = 0; n < 10; n++) {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`)
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringMatching(/^ready\ndegraded: workers: /)])
    }
    program.child.kill('SIGTERM')
    expect(await program.exit()).toBe(0)
  })

  test('refuses an unknown account before starting anything', async () => {
    expect(await refused('-user', 'no-such-user')).toContain('set flag -user to "no-such-user": not in /etc/passwd')
    expect(await refused('-user', String(UID))).toContain(
      `set flag -user to "${UID}": not in /etc/passwd; name its group`,
    )
    expect(await refused('-user', 'root')).toContain('set flag -user to "root": is root; name another user')
    expect(await refused('-group', 'root')).toContain('set flag -group to "root": needs -user; set both')
  })

  test('is refused without root', async () => {
    const other = ['--reuid', String(UID), '--regid', String(GID), '--clear-groups']
    const derper = [RUNTIME_PATH, DERPER, '-dev', '-a', '127.0.0.1:0', '-user', 'daemon']
    const program = await startProgram('setpriv', [...other, ...derper])
    programs.push(program)
    expect(await program.exit()).toBe(2)
    expect(program.stderr).toContain('set flag -user to "daemon": only root can switch users')
  })
})
