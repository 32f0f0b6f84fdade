/** Ports and memory for Node threads. */

import { MessageChannel, MessagePort, receiveMessageOnPort, type Transferable } from 'node:worker_threads'
import type { BatchMemory } from '../link/link-batch.ts'
import type { Port, TransferHandle } from './port.ts'

/** A {@link Port} on a `MessagePort`. */
export function nodePort<Out, In>(port: MessagePort): Port<Out, In> {
  let handle: ((message: In) => void) | undefined
  return {
    post: (message, handed = []) => port.postMessage(message, [...handed] as Transferable[]),
    open: handler => {
      handle = handler
      port.on('message', handler)
    },
    drain: () => {
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
        handle?.(next.message as In)
      }
    },
    close: () => port.close(),
  }
}

/** The same for a port received in a message. */
export function openLink(end: TransferHandle): Port<ArrayBuffer, ArrayBuffer> {
  if (!(end instanceof MessagePort)) throw new TypeError('open packet link: not a MessagePort')
  return nodePort(end)
}

/** A channel with two transferable ends. */
export function createChannel(): readonly [MessagePort, MessagePort] {
  const { port1, port2 } = new MessageChannel()
  return [port1, port2]
}

export const nodeMemory: BatchMemory = {
  // Unlike `new ArrayBuffer` it is not zeroed; unlike small pooled buffers it can be transferred.
  allocate: bytes => Buffer.allocUnsafeSlow(bytes).buffer,
  // Sockets would create a Buffer from any other view, for each piece that they write.
  view: buffer => Buffer.from(buffer),
}
