import { and, eq, sql } from 'drizzle-orm'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { auditCarriedSeats } from '../../database/schema.ts'

/**
 * Keeps the state of seats that purged events recorded, so that the seats at every later instant can
 * still be computed. Changes only the seats of these events: a seat id is never reused, so a release here
 * is final. An assigned seat no longer belongs to an invitation.
 */
export function carrySeats(
  { db }: DatabaseContext,
  organizationId: string,
  lastSequence: number
): Statement[] {
  const going = sql`from seatgate_audit_events where organization_id = ${organizationId}
    and sequence <= ${lastSequence}`
  const here = eq(auditCarriedSeats.organizationId, organizationId)
  const resent = sql`${going} and action = 'organization.invitation.resent'`
  const promise = sql`(select json_extract(metadata, '$.expires_at') ${resent}
    and target_id = seatgate_audit_carried_seats.invitation_id order by sequence desc limit 1)`
  return [
    db
      .insert(auditCarriedSeats)
      .select(
        sql`select ${organizationId}, seat_id, invitation_id, expires_at
          from (select target_id as seat_id,
            json_extract(metadata, '$.invitation_id') as invitation_id,
            json_extract(metadata, '$.expires_at') as expires_at, max(sequence)
            ${going} and action in ('seat.reserved', 'seat.assigned') group by target_id)
          where true`
      )
      .onConflictDoUpdate({
        target: [auditCarriedSeats.organizationId, auditCarriedSeats.seatId],
        set: {
          invitationId: sql`excluded.invitation_id`,
          expiresAt: sql`excluded.expires_at`,
        },
      }),
    db
      .delete(auditCarriedSeats)
      .where(
        and(
          here,
          sql`${auditCarriedSeats.seatId} in (select target_id ${going} and action = 'seat.released')`
        )
      ),
    db
      .update(auditCarriedSeats)
      .set({ expiresAt: promise })
      .where(and(here, sql`${auditCarriedSeats.invitationId} in (select target_id ${resent})`)),
  ]
}
