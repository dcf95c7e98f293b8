/**
 * The invariants of organizations and seats as functions of the content of both stores:
 * `seatgate/testing`. Each returns the violations; an empty list is good.
 *
 * @module
 */
import { overtaken, type Circumstances, type State } from './state.ts'
import { doubledMembers, leak, miscounted, overshoot, ownerless } from './seats.ts'
import { unrecorded } from './trail.ts'

export { disordered, undelivered, unrecorded } from './trail.ts'
export type { Heard } from './trail.ts'
export { forgotten, overtaken, readLedger, readStored } from './state.ts'
export {
  doubledMembers,
  miscounted,
  ownerless,
  carriedSeats,
  growth,
  leak,
  overshoot,
  promisedSeats,
  unknownSeats,
  usedIn,
} from './seats.ts'
export { testHostAdapter } from './test-host-adapter.ts'
export type { LoggedAction, TestHostAdapter, TestUser } from './test-host-adapter.ts'
export { addReached, createSometimes, neverReached } from './assume.ts'
export type { Reached, Sometimes } from './assume.ts'
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
