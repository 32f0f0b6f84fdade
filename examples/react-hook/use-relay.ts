/** A relay as a hook of React: connected while the component is mounted. */

import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { createRelayStore, type Message, type RelayStore, type RelayView } from '../store/relay-store.ts'

export interface Relay {
  /** This client's key; undefined until it is made. */
  readonly key: string | undefined
  readonly state: RelayView['state']
  /** Why there is no connection; empty while there is one. */
  readonly problem: string
  readonly messages: readonly Message[]
  /** Rejects while there is no connection. */
  readonly send: (to: string, text: string) => Promise<void>
}

const NO_MESSAGES: readonly Message[] = []

/**
 * ```tsx
 * const { state, messages, send } = useRelay('https://relay.example/derp')
 * ```
 */
export function useRelay(url: string): Relay {
  const [store, setStore] = useState<RelayStore>()
  useEffect(() => {
    let isMounted = true
    let made: RelayStore | undefined
    const start = async () => {
      made = await createRelayStore(url)
      if (isMounted) setStore(made)
      else made.close()
    }
    void start()
    return () => {
      isMounted = false
      setStore(undefined)
      made?.close()
    }
  }, [url])
  const subscribe = useCallback((listener: () => void) => store?.subscribe(listener) ?? (() => {}), [store])
  const view = useSyncExternalStore(subscribe, () => store?.getSnapshot())
  const send = useCallback(
    async (to: string, text: string) => {
      if (store === undefined) throw new Error('send: not connected yet')
      await store.send(to, text)
    },
    [store],
  )
  const { key, state = 'connecting', problem = '', messages = NO_MESSAGES }: Partial<RelayView> = view ?? {}
  return { key, state, problem, messages, send }
}
