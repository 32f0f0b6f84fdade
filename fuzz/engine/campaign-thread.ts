/** Runs one campaign in a thread, so that a run without end, or without bounds in memory, can be noticed. */

import './instrument.ts'
import { parentPort, workerData } from 'node:worker_threads'
import { Campaign, type CampaignResult } from './campaign.ts'
import { loadTarget, readCorpus, readFound } from './corpus.ts'
import { type CurrentInput, writeCurrentInput } from './current-input.ts'

export interface CampaignOrder {
  readonly target: string
  readonly seconds: number
  readonly seed: number
  readonly current: CurrentInput
}

const { target: name, seconds, seed, current } = workerData as CampaignOrder
const target = await loadTarget(name)
const inputs = [...readFound(name), ...readCorpus(name)]
const onInput = (input: Uint8Array) => writeCurrentInput(current, input)
const result: CampaignResult = await new Campaign(target, { seconds, seed, inputs, onInput }).run()
parentPort?.postMessage(result)
