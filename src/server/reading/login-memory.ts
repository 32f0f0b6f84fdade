/**
 * Bounds the memory of all logins together, before their clients are known (P-113): each may send a long ClientInfo,
 * and wait.
 *
 * Beyond the bound the logins that hold most end; among equals the oldest.
 */

/** Bytes that all logins of a thread may hold; real ones send some 150 each. */
export const MAX_LOGIN_BYTES: number = 32 << 20
/** Logins that hold no more are not counted: their number is that of connections. */
const ORDINARY_BYTES: number = 4 << 10
/** How far below the bound logins end, so that each read beyond it does not end another. */
const CUT_TO = 0.9

/** A login under way. */
export interface LoginHolder {
  /** Ends it: all logins together hold too much. */
  onOverflow(): void
}

export class LoginMemory {
  readonly #maxBytes: number
  readonly #held = new Map<LoginHolder, number>()
  #bytes = 0

  constructor(maxBytes: number = MAX_LOGIN_BYTES) {
    this.#maxBytes = maxBytes
  }

  /** Bytes held by long logins. */
  get bytes(): number {
    return this.#bytes
  }

  /** The login now holds `bytes`. It may end before this returns. */
  note(login: LoginHolder, bytes: number): void {
    if (bytes <= ORDINARY_BYTES) {
      this.forget(login)
      return
    }
    this.#bytes += bytes - (this.#held.get(login) ?? 0)
    this.#held.set(login, bytes)
    if (this.#bytes > this.#maxBytes) this.#endFattest()
  }

  /** The login has ended. */
  forget(login: LoginHolder): void {
    this.#bytes -= this.#held.get(login) ?? 0
    this.#held.delete(login)
  }

  #endFattest(): void {
    const fattestFirst = Array.from(this.#held)
    fattestFirst.sort(([, a], [, b]) => b - a)
    for (const [login] of fattestFirst) {
      if (this.#bytes <= CUT_TO * this.#maxBytes) return
      this.forget(login)
      login.onOverflow()
    }
  }
}
