import { budgeted, type Budgeted } from '../../database/statement-budget.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { Result } from '../../base/result.ts'
import { examine, type Examination } from './differences.ts'
import { recordChecks, takeTurn, turnBack, type DueOrganization } from './due-organizations.ts'
import { repair } from './repair.ts'

// Includes a second examination, needed when the ledger starts again during the first.
const STATEMENTS_TO_EXAMINE = 20
const STATEMENTS_TO_REPAIR = 60

const host = { type: 'system' } as const

/**
 * Verifies organizations, and repairs those in which D1 and the ledger differ: first those with events
 * since their last verification, then the next in turn. Takes at most 25 organizations, and the first of
 * each kind that have 5,000 seats together, while there are statements left. The next sweep continues
 * after the last verified one. An organization that cannot be verified now is verified in the next round.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * export default { scheduled: () => sweepSeats(seatgate) }
 * ```
 */
export async function sweepSeats(unbudgeted: ChangeContext): Promise<void> {
  const context = budgeted(unbudgeted)
  const { budget } = context
  if (budget.left() < STATEMENTS_TO_EXAMINE + STATEMENTS_TO_REPAIR) return budget.leave()
  const turn = await takeTurn(context)
  const verified: DueOrganization[] = []
  let last = turn.from
  let isDone = true
  for (const organization of [...turn.changed, ...turn.inTurn]) {
    const outcome = await verifyAndRepair(context, organization.id)
    isDone = outcome !== 'no statements left'
    if (!isDone) break
    if (outcome === 'verified') verified.push(organization)
    if (turn.inTurn.includes(organization)) last = organization.id
  }
  await recordChecks(context, verified)
  if (!isDone) await turnBack(context, turn, last)
}

async function verifyAndRepair(
  context: Budgeted<ChangeContext>,
  organizationId: string
): Promise<'verified' | 'failed' | 'no statements left'> {
  const { budget, report, roles } = context
  const toExamine = STATEMENTS_TO_EXAMINE * (1 + roles.seatTypes.size)
  const failed = (error: unknown) =>
    report({ event: 'seat_verification_failed', organizationId, error })
  try {
    let examined: Result<Examination> | null = null
    await budget.spend(toExamine, async () => {
      examined = await examine(context, organizationId)
    })
    const found = examined as Result<Examination> | null
    if (found === null) return 'no statements left'
    if (!found.ok) {
      failed(found.error)
      return 'failed'
    }
    if (found.value.differences.length === 0) return 'verified'
    const done = await budget.spend(STATEMENTS_TO_REPAIR, async () => {
      const scope = { caller: host, organization: organizationId }
      const repaired = await repair(context, scope, found.value, { renew: false })
      if (!repaired.ok) failed(repaired.error)
    })
    return done ? 'verified' : 'no statements left'
  } catch (error) {
    failed(error)
    return 'failed'
  }
}
