import { and, asc, eq, gt, sql } from 'drizzle-orm'
import { budgeted, type Budgeted } from '../../database/statement-budget.ts'
import { batch } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { organizations } from '../../database/schema/organizations-tables.ts'
import { rotations } from '../../database/schema/changes-tables.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { Result } from '../../base/result.ts'
import { examine, type Examination } from './differences.ts'
import { repair } from './repair.ts'
import { seatsHeld } from '../../engine/seats/counts.ts'

const ORGANIZATIONS_PER_SWEEP = 25
const SEATS_PER_SWEEP = 5000
// Includes a second examination, needed when the ledger starts again during the first.
const STATEMENTS_TO_EXAMINE = 20
const STATEMENTS_TO_REPAIR = 60

const host = { type: 'system' } as const
const name = 'seats'

/**
 * Verifies the next organizations in turn, and repairs those in which D1 and the ledger differ. Takes at
 * most 25 organizations, and the first of them that have 5,000 seats together, while there are statements
 * left. The next sweep continues after the last verified one. An organization that cannot be verified now
 * is verified in the next round.
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
  const { ids, from, to } = await nextInTurn(context)
  let last = from
  for (const organizationId of ids) {
    const done = await verifyAndRepair(context, organizationId)
    if (!done) return turnBack(context, to, last)
    last = organizationId
  }
}

// Returns false if too few statements are left.
async function verifyAndRepair(
  context: Budgeted<ChangeContext>,
  organizationId: string
): Promise<boolean> {
  const { budget, report } = context
  const failed = (error: unknown) =>
    report({ event: 'seat_verification_failed', organizationId, error })
  try {
    let examined: Result<Examination> | null = null
    await budget.spend(STATEMENTS_TO_EXAMINE, async () => {
      examined = await examine(context, organizationId)
    })
    const found = examined as Result<Examination> | null
    if (found === null) return false
    if (!found.ok) failed(found.error)
    if (!found.ok || found.value.differences.length === 0) return true
    return await budget.spend(STATEMENTS_TO_REPAIR, async () => {
      const scope = { caller: host, organization: organizationId }
      const repaired = await repair(context, scope, found.value, { renew: false })
      if (!repaired.ok) failed(repaired.error)
    })
  } catch (error) {
    failed(error)
    return true
  }
}

// In the order of ids, starting again at the end. Of two concurrent sweeps one gets the turn.
async function nextInTurn({ db }: DatabaseContext): Promise<{
  readonly ids: readonly string[]
  /** The position before and after this turn. */
  readonly from: string
  readonly to: string
}> {
  const { turn, next } = await batch(db, {
    turn: db.select().from(rotations).where(eq(rotations.name, name)),
    next: db
      .select({
        id: organizations.id,
        deletedAt: organizations.deletedAt,
        seats: seatsHeld(sql`${organizations.id}`).as('seats'),
      })
      .from(organizations)
      .where(
        gt(
          organizations.id,
          sql`coalesce((select place from seatgate_rotations where name = ${name}), '')`
        )
      )
      .orderBy(asc(organizations.id))
      .limit(ORGANIZATIONS_PER_SWEEP),
  })
  const chosen = withinBudget(next)
  const atTheEnd = chosen.length === next.length && next.length < ORGANIZATIONS_PER_SWEEP
  const place = atTheEnd ? '' : (chosen.at(-1)?.id ?? '')
  const { moved } = await batch(db, {
    moved: db
      .insert(rotations)
      .values({ name, place })
      .onConflictDoUpdate({
        target: rotations.name,
        set: { place },
        setWhere: eq(rotations.place, turn[0]?.place ?? place),
      })
      .returning(),
  })
  const from = turn[0]?.place ?? ''
  const live = chosen.flatMap(({ id, deletedAt }) => (deletedAt === null ? [id] : []))
  return { ids: moved.length === 0 ? [] : live, from, to: place }
}

// Unless another sweep has moved on from there.
async function turnBack({ db }: DatabaseContext, from: string, to: string): Promise<void> {
  await batch(db, {
    back: db
      .update(rotations)
      .set({ place: to })
      .where(and(eq(rotations.name, name), eq(rotations.place, from))),
  })
}

/** Returns the first organizations whose seats fit the budget together; at least one. */
function withinBudget<T extends { readonly seats: number }>(next: readonly T[]): readonly T[] {
  let sum = 0
  return next.filter(({ seats }, index) => {
    sum += seats
    return index === 0 || sum <= SEATS_PER_SWEEP
  })
}
