/**
 * Repairs the seats of members, and counts the members again.
 *
 * @module
 */
import { and, eq, isNull, sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import { seatTypeCounts } from '../../database/schema/seats-tables.ts'
import { seatIdOf, typeOfRole } from '../../base/seat-types.ts'
import { seatEvent, type EventDraft } from '../audit/event.ts'
import type { Ending } from './end-invitation.ts'
import type { JoinContext } from './join.ts'

/**
 * Gives seats to active members without one. No limit is checked: they are members, and with too many the
 * organization is over its limit.
 */
export function reseat(
  { db, newId, roles, seats }: Pick<JoinContext, 'db' | 'newId' | 'roles' | 'seats'>,
  organizationId: string,
  members: readonly (readonly [userId: string, role: string])[]
): { readonly statements: readonly Statement[]; readonly events: readonly EventDraft[] } {
  const seated = members.map(([userId, role]) => ({
    userId,
    seatId: seatIdOf(typeOfRole(roles, role), newId()),
  }))
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

/**
 * Gives members whose seat is not of the type of their role one that is, in its place. No limit is checked,
 * as for members without a seat.
 */
export function moveSeats(
  { db, newId, roles, seats }: Pick<JoinContext, 'db' | 'newId' | 'roles' | 'seats'>,
  organizationId: string,
  members: readonly (readonly [userId: string, role: string, seatId: string])[]
): Ending {
  const moved = members.map(([userId, role, seatId]) => ({
    userId,
    role,
    seatId,
    given: seatIdOf(typeOfRole(roles, role), newId()),
  }))
  if (moved.length === 0) return { statements: [], events: [], freedSeats: [] }
  const list = moved.map(({ seatId, role, given }) => [seatId, role, given])
  const given = sql`json_each(${JSON.stringify(list)})`
  const theirs = sql`${memberships.organizationId} = ${organizationId}
    and ${memberships.seatId} = given.value ->> 0 and ${memberships.role} = given.value ->> 1`
  const freed = seats.enforces
    ? moved.map(({ userId, seatId }) => ({ organizationId, seatId, userId }))
    : []
  return {
    statements: [
      guard(
        db,
        'stale',
        sql`(select count(*) from ${memberships}, ${given} as given where ${theirs}) = ${moved.length}`
      ),
      db
        .update(memberships)
        .set({ seatId: sql`given.value ->> 2` })
        .from(sql`${given} as given`)
        .where(theirs),
    ],
    freedSeats: freed,
    events: [
      ...freed.map((seat) => seatEvent(seat, 'seat.released', { user_id: seat.userId })),
      ...(seats.enforces
        ? moved.map((each) =>
            seatEvent({ organizationId, seatId: each.given }, 'seat.assigned', {
              user_id: each.userId,
            })
          )
        : []),
    ],
  }
}

/** Counts the seats of types again, in place of the triggers' counts. */
export function recountTypes(
  { db }: DatabaseContext,
  organizationId: string
): readonly Statement[] {
  return [
    db.delete(seatTypeCounts).where(eq(seatTypeCounts.organizationId, organizationId)),
    db.insert(seatTypeCounts).select(
      sql`select ${organizationId}, substr(seat_id, 2, instr(seat_id, '/') - 2), count(*)
        from seatgate_memberships
        where organization_id = ${organizationId} and seat_id glob '~[a-z]*/*' group by 2`
    ),
  ]
}
