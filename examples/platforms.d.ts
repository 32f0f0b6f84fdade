/** What the examples for Deno and Bun use of these, for the compiler of this repository. */

declare namespace Deno {
  const args: readonly string[]
  let exitCode: number
  function exit(code: number): never
  function addSignalListener(signal: 'SIGINT', listener: () => void): void
}

declare namespace Bun {
  const argv: readonly string[]
  function nanoseconds(): number
  function sleep(ms: number): Promise<void>
}

declare module 'react-dom/client' {
  export function createRoot(container: Element): { render(node: object): void }
}
