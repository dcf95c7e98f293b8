import { asc, eq, gt, sql } from 'drizzle-orm'
import { batch } from '../database/batch.ts'
import type { DatabaseContext } from '../database/database.ts'
import { organizations, rotations } from '../database/schema.ts'
import type { ChangeContext } from '../operations/change-context.ts'
import { examine } from './examine.ts'
import { repair } from './repair.ts'
import { seatsHeld } from './truth.ts'

const ORGANIZATIONS_PER_SWEEP = 25
const SEATS_PER_SWEEP = 5000

const host = { type: 'system' } as const

/**
 * Verifies the next organizations in turn, and repairs those in which D1 and the ledger differ. So many
 * and no more at a time: 25 organizations, and of these the first that have 5,000 seats together. One
 * that cannot be verified now has its turn in the next round.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * export default { scheduled: () => sweepSeats(seatgate) }
 * ```
 */
export async function sweepSeats(seatgate: ChangeContext): Promise<void> {
  for (const organizationId of await nextInTurn(seatgate)) {
    try {
      const problem = await verifyAndRepair(seatgate, organizationId)
      if (problem === null) continue
      seatgate.report({ event: 'seat_verification_failed', organizationId, error: problem })
    } catch (error) {
      seatgate.report({ event: 'seat_verification_failed', organizationId, error })
    }
  }
}

async function verifyAndRepair(seatgate: ChangeContext, organizationId: string): Promise<unknown> {
  const examined = await examine(seatgate, organizationId)
  if (!examined.ok) return examined.error
  if (examined.value.differences.length === 0) return null
  const scope = { caller: host, organization: organizationId }
  const repaired = await repair(seatgate, scope, examined.value, { renew: false })
  return repaired.ok ? null : repaired.error
}

// In order of their ids, round and round. Of two sweeps at once one has the turn.
async function nextInTurn({ db }: DatabaseContext): Promise<readonly string[]> {
  const name = 'seats'
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
  if (moved.length === 0) return []
  return chosen.flatMap(({ id, deletedAt }) => (deletedAt === null ? [id] : []))
}

/** The first of them, for as long as they have no more seats together than that; one at least. */
function withinBudget<T extends { readonly seats: number }>(next: readonly T[]): readonly T[] {
  let sum = 0
  return next.filter(({ seats }, index) => {
    sum += seats
    return index === 0 || sum <= SEATS_PER_SWEEP
  })
}
