import { overtaken, type Circumstances, type State } from './state.ts'
import { doubledMembers, leak, miscounted, overshoot, ownerless } from './seats.ts'
import { unrecorded } from './trail.ts'

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
