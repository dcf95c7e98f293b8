import { doubledMembers, leak, miscounted, overshoot, ownerless } from './seats.ts'
import type { Circumstances, State } from './state.ts'
import { unrecorded } from './trail.ts'
import { overtaken } from './waitlist.ts'

/**
 * Returns every violation in an organization. A host with types of seats passes them as `seatTypes`, and
 * their ledgers as `typeLedgers`.
 *
 * @example
 * ```ts
 * const stored = await readStored(env.DB, organizationId)
 * const ledger = await runInDurableObject(env.SEATS.getByName(organizationId), (_, { storage }) =>
 *   readLedger(storage.sql)
 * )
 * expect(violations({ ...stored, ledger }, { quiet: true })).toEqual([])
 * ```
 */
export function violations(state: State, circumstances: Circumstances): readonly string[] {
  return [
    ...overshoot(state, circumstances),
    ...(circumstances.quiet ? leak(state, circumstances) : []),
    ...doubledMembers(state),
    ...miscounted(state),
    ...ownerless(state, circumstances.ownerRole),
    ...unrecorded(state, circumstances),
    ...overtaken(state, circumstances),
  ]
}
