import { ledgerName, poolTypes, type CheckedSeatTypes } from './pools.ts'
import { organizationsIn, readStored, type LedgerState } from './state.ts'
import { violations } from './violations.ts'
import { forgotten } from './waitlist.ts'

/** The stores of a test, and the circumstances of the moment. */
export interface SoundOptions {
  readonly database: D1Database
  /**
   * Reads the ledger of a name, with `readLedger`: the id of an organization, or the pool of a type of
   * seats there. Leave it out if seats are counted in D1 only.
   */
  readonly ledger?: (name: string) => Promise<LedgerState | null>
  /** Whether {@link quiet} has ended before. Default true. */
  readonly quiet?: boolean
  /** Whether seats are counted: false with `unlimitedSeats()`. Default true. */
  readonly seatsCounted?: boolean
  /** The types of seats that the host passes to `seatTypes()`. Default `{}`. */
  readonly seatTypes?: CheckedSeatTypes
  /** The owner's role, `roles.owner` of the host. Default `"owner"`. */
  readonly ownerRole?: string
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
  const { database, ledger, now = new Date() } = options
  const {
    quiet: isQuiet = true,
    seatsCounted = true,
    seatTypes = {},
    ownerRole = 'owner',
  } = options
  const circumstances = { quiet: isQuiet, seatsCounted, seatTypes, ownerRole }
  const read = async (id: string, type: string | null) =>
    (await ledger?.(ledgerName(id, type))) ?? null
  const found: string[] = []
  for (const id of await organizationsIn(database)) {
    const stored = await readStored(database, id, now)
    const typeLedgers: Record<string, LedgerState | null> = {}
    for (const type of poolTypes(seatTypes)) {
      if (type !== null) typeLedgers[type] = await read(id, type)
    }
    const state = { ...stored, ledger: await read(id, null), typeLedgers }
    const wrong = [
      ...violations(state, circumstances),
      ...(isQuiet ? forgotten(state, circumstances) : []),
    ]
    found.push(...wrong.map((violation) => `${stored.organization?.slug ?? id}: ${violation}`))
  }
  if (found.length > 0) throw new Error(`The stores are not sound:\n- ${found.join('\n- ')}`)
}
