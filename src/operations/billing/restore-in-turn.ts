/**
 * Restores members that a limit has suspended where no change did: after a crash, after the expiry of an
 * invitation, which has no event, and where they were more than one change restores.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { rotations } from '../../database/schema/changes-tables.ts'
import type { Budgeted } from '../../database/statement-budget.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { limitNow } from '../../engine/seats/counts.ts'
import { seatsWanted } from '../../engine/seats/waitlist-seats.ts'
import { restoreExcess } from './restore-excess.ts'

const MEMBERS_PER_SWEEP = 1000
const NAME = 'over_limit'

/**
 * Visits the next members that a limit has suspended, in the order of their organizations, and restores those
 * of organizations with seats. A sweep without such members writes no row.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function restoreInTurn(context: Budgeted<ChangeContext>): Promise<void> {
  const { db, now, report, roles, seatContext } = context
  const place = sql`coalesce((select place from seatgate_rotations where name = ${NAME}), '')`
  const page = sql`(select organization_id, role from seatgate_memberships
    where suspended_by = 'over_limit' and organization_id > ${place}
    order by organization_id limit ${MEMBERS_PER_SWEEP})`
  const others = [...roles.seatless, ...[...roles.seatTypes.values()].flatMap((type) => type.roles)]
  const id = sql<string>`next.organization_id`
  const limit = limitNow(seatContext, id)
  const { found } = await batch(db, {
    found: db
      .select({ organizationId: sql<string>`${id}`.as('id') })
      .from(sql`(select organization_id, max(role in ${others}) as other from ${page}
        group by organization_id) as next`)
      .where(
        sql`next.other or (${limit} is not 'unknown' and ${seatsWanted(id, seatContext, now())} < ${limit})`
      ),
    moved: db
      .insert(rotations)
      .select(
        sql`select ${NAME}, iif(members = ${MEMBERS_PER_SWEEP}, last, '')
          from (select count(*) as members, max(organization_id) as last from ${page})
          where members = ${MEMBERS_PER_SWEEP} or ${place} <> ''`
      )
      .onConflictDoUpdate({
        target: rotations.name,
        set: { place: sql`excluded.place` },
        setWhere: sql`${rotations.place} <> excluded.place`,
      }),
  })
  for (const { organizationId } of found) {
    try {
      const restored = await restoreExcess(context, organizationId)
      if (!restored.ok && restored.error.code !== 'organization_not_found') {
        report({ event: 'entitlement_sweep_failed', organizationId, error: restored.error })
      }
    } catch (error) {
      report({ event: 'entitlement_sweep_failed', organizationId, error })
    }
  }
}
