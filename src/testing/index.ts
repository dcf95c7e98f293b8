/**
 * The invariants of organizations and seats as functions of the content of both stores:
 * `seatgate/testing`. Each returns the violations; an empty list is good.
 *
 * @module
 */
import { overtaken } from './waitlist-states.ts'
import { doubledMembers, miscounted, ownerless } from './members.ts'
import { leak, overshoot } from './seats.ts'
import type { Circumstances, State } from './state.ts'
import { unrecorded } from './trail.ts'

export { disordered, undelivered } from './deliveries.ts'
export type { Heard } from './deliveries.ts'
export { forgotten, overtaken } from './waitlist-states.ts'
export { doubledMembers, miscounted, ownerless } from './members.ts'
export { carriedSeats, growth, leak, overshoot, promisedSeats, unknownSeats } from './seats.ts'
export { addReached, createSometimes, neverReached } from './sometimes.ts'
export type { Reached, Sometimes } from './sometimes.ts'
export { readLedger, readStored } from './state.ts'
export type {
  Circumstances,
  CountState,
  EventState,
  InvitationState,
  LedgerState,
  MemberState,
  OrganizationState,
  State,
  StoredState,
} from './state.ts'
export { unrecorded } from './trail.ts'

/**
 * Returns every violation in an organization.
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
    ...(circumstances.quiet ? leak(state) : []),
    ...doubledMembers(state),
    ...miscounted(state),
    ...ownerless(state),
    ...unrecorded(state, circumstances),
    ...overtaken(state),
  ]
}
