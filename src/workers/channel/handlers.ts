/** What to do at each message of a union, by its type; the compiler complains of a missing one. */

export type Handlers<M extends { readonly type: string }> = {
  readonly [T in M['type']]: (message: Extract<M, { type: T }>) => void
}

export function dispatch<M extends { readonly type: string }>(handlers: Handlers<M>, message: M): void {
  const handle = handlers[message.type as M['type']] as (message: M) => void
  handle(message)
}
