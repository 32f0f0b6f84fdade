/** WatchConns: the client wants to be told about all others (P-070). */

import { assertMesh, type Handler } from './handler.ts'

export const handleWatchConns: Handler = (session, frame) => {
  assertMesh(session, frame)
  // A relay that has dialled itself must not see its own clients as another relay's.
  if (session.key.equals(session.relay.publicKey)) return
  session.pauseUntil(session.relay.directory.watch(session))
}
