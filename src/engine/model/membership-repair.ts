/**
 * Repairs memberships that were written without the library.
 *
 * @module
 */
import { and, eq, isNull, sql } from 'drizzle-orm'
import { seatEvent, type EventDraft } from '../audit/event.ts'
import { guard } from '../../database/commit.ts'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { memberCounts, memberships } from '../../database/schema.ts'
import type { AdditionContext } from './join.ts'

/**
 * Gives seats to active members without one. No limit is checked: they are members, and with too many the
 * organization is over its limit.
 */
export function reseat(
  { db, newId, seats }: AdditionContext,
  organizationId: string,
  userIds: readonly string[]
): { readonly statements: readonly Statement[]; readonly events: readonly EventDraft[] } {
  const seated = userIds.map((userId) => ({ userId, seatId: newId() }))
  const given = sql`json_each(${JSON.stringify(seated.map(({ userId, seatId }) => [userId, seatId]))})`
  const unseated = and(
    eq(memberships.organizationId, organizationId),
    eq(memberships.status, 'active'),
    isNull(memberships.seatId)
  )
  return {
    // Two statements for any number of members.
    statements:
      seated.length === 0
        ? []
        : [
            guard(
              db,
              'stale',
              sql`(select count(*) from ${memberships} where ${unseated}
                and user_id in (select value ->> 0 from ${given})) = ${seated.length}`
            ),
            db
              .update(memberships)
              .set({ seatId: sql`given.value ->> 1` })
              .from(sql`${given} as given`)
              .where(and(unseated, sql`${memberships.userId} = given.value ->> 0`)),
          ],
    events: seats.enforces
      ? seated.map(({ userId, seatId }) =>
          seatEvent({ organizationId, seatId }, 'seat.assigned', { user_id: userId })
        )
      : [],
  }
}

/** Counts the members of an organization again, and replaces the triggers' count. */
export function recount({ db }: DatabaseContext, organizationId: string): Statement {
  return db
    .insert(memberCounts)
    .select(
      sql`select ${organizationId}, count(*) filter (where status = 'active'),
        count(*) filter (where status = 'suspended'), count(seat_id)
        from seatgate_memberships where organization_id = ${organizationId}`
    )
    .onConflictDoUpdate({
      target: memberCounts.organizationId,
      set: {
        active: sql`excluded.active`,
        suspended: sql`excluded.suspended`,
        seats: sql`excluded.seats`,
      },
    })
}
