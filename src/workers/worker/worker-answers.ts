/** A worker's answers to the coordinator. */

import { mergeCounters } from '../../metrics/counters.ts'
import { mergeConnectionCounters, mergeHttpCounters } from '../../metrics/merge.ts'
import type { DrainResult } from '../../server/drain.ts'
import { CoreDebugSource, type SessionsSnapshot } from '../../status/relay-view.ts'
import type { CheckedSnapshot, CoordinatorQuestions, DrainMessage, WorkerQuestions } from '../channel/messages.ts'
import type { Answers, RpcClient } from '../channel/rpc.ts'
import type { PacketLedger } from '../link/packet-ledger.ts'
import type { WorkerDirectory } from './worker-directory.ts'
import type { WorkerRuntime } from './worker-runtime.ts'

/** What the answers are about. */
export interface AnswerContext extends Pick<WorkerRuntime, 'core' | 'http' | 'connections'> {
  readonly directory: WorkerDirectory
  readonly ledger: PacketLedger | undefined
  /** Cuts a drain short. */
  readonly cut: AbortSignal
}

export function workerAnswers(
  context: AnswerContext,
  asking: RpcClient<WorkerQuestions>,
): Answers<CoordinatorQuestions> {
  const own = new CoreDebugSource(context.core)
  const { sessions } = context.directory
  return {
    close: (id, answer) => {
      sessions.get(id)?.close()
      answer(undefined)
    },
    clients: ({ query, numbering }, answer) => answer(own.clientsPart(query, numbering)),
    snapshot: (_, answer) => {
      // What has been shown once does not go back after a crash.
      context.ledger?.publish()
      answer(snapshotOf(context, own.sessionsSnapshot()))
    },
    traffic: async (_, answer) => answer(await own.traffic()),
    drain: async (message, answer) => answer(await drain(message, context, asking)),
  }
}

/** The current statistics, for comparison with what was reported before. */
function snapshotOf({ core, http, connections, directory }: AnswerContext, own: SessionsSnapshot): CheckedSnapshot {
  return {
    ...own,
    counters: mergeCounters([own.counters]),
    http: mergeHttpCounters([http]),
    connections: connections && mergeConnectionCounters([connections]),
    routes: core.routes.size,
    sessions: directory.sessions.size,
  }
}

function drain(
  message: DrainMessage,
  { core, cut }: AnswerContext,
  asking: RpcClient<WorkerQuestions>,
): Promise<DrainResult> {
  return core.drain({ ...message, signal: cut, clientsEnded: () => asking.ask('clientsEnded', undefined) })
}
