import { forgotten, organizationsIn, readStored, type LedgerState } from './state.ts'
import { violations } from './violations.ts'

/** The stores of a test, and the circumstances of the moment. */
export interface SoundOptions {
  readonly database: D1Database
  /** Reads a ledger, with `readLedger`. Leave it out if seats are counted in D1 only. */
  readonly ledger?: (organizationId: string) => Promise<LedgerState | null>
  /** Whether {@link quiet} has ended before. Default true. */
  readonly quiet?: boolean
  /** Whether seats are counted: false with `unlimitedSeats()`. Default true. */
  readonly seatsCounted?: boolean
  /** The time of the test: `test.clock.now()`. Default: the system's clock. */
  readonly now?: Date
}

/**
 * Checks every invariant of every organization in the database: no more members than seats, no leaked
 * seat, correct counts, an owner, a trail that explains the rows, and a fair waitlist. For one
 * organization over a limit that was lowered, use `violations`.
 *
 * @throws {Error} with every violation.
 *
 * @example
 * ```ts
 * afterEach(async () => {
 *   await quiet(test, stores)
 *   await expectSound({ ...stores, now: test.clock.now() })
 * })
 * ```
 */
export async function expectSound(options: SoundOptions): Promise<void> {
  const { database, ledger, quiet: isQuiet = true, seatsCounted = true, now = new Date() } = options
  const circumstances = { quiet: isQuiet, seatsCounted }
  const found: string[] = []
  for (const id of await organizationsIn(database)) {
    const stored = await readStored(database, id, now)
    const state = { ...stored, ledger: (await ledger?.(id)) ?? null }
    const wrong = [
      ...violations(state, circumstances),
      ...(isQuiet ? forgotten(state, circumstances) : []),
    ]
    found.push(...wrong.map((violation) => `${stored.organization?.slug ?? id}: ${violation}`))
  }
  if (found.length > 0) throw new Error(`The stores are not sound:\n- ${found.join('\n- ')}`)
}
