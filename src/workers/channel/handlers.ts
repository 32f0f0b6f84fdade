/** One handler per message type of a union; the compiler reports missing ones. */

export type Handlers<M extends { readonly type: string }> = {
  readonly [T in M['type']]: (message: Extract<M, { type: T }>) => void
}

export function dispatch<M extends { readonly type: string }>(handlers: Handlers<M>, message: M): void {
  const handle = handlers[message.type as M['type']] as (message: M) => void
  handle(message)
}
