import { and, inArray, sql } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import { batch } from '../../database/batch.ts'
import { seatFences } from '../../database/schema/seats-tables.ts'
import { invitations } from '../../database/schema/invitations-tables.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import { isPending } from './counts.ts'

/**
 * Settles reservations whose deadline has passed: fences every seat that neither a membership nor a live
 * invitation carries, and returns the others with the instant until which an invitation reserves the
 * seat, null for a membership's. D1's single writer decides between the fence and a late write. A fence is
 * that of a pool, whose ledger deletes it.
 */
export async function settleSeats(
  db: Database,
  pool: string,
  seatIds: readonly string[],
  now: Date
): Promise<ReadonlyMap<string, Date | null>> {
  const ids = sql`(select value from json_each(${JSON.stringify(seatIds)}))`
  const { held, reservations } = await batch(db, {
    fenced: db
      .insert(seatFences)
      .select(
        sql`select value, ${pool}, ${now.getTime()}
          from json_each(${JSON.stringify(seatIds)})
          where not exists (select 1 from seatgate_memberships where seat_id = value)
          and not exists (select 1 from seatgate_invitations where seat_id = value and ${isPending(now)})`
      )
      .onConflictDoNothing(),
    held: db
      .select({ seatId: memberships.seatId })
      .from(memberships)
      .where(inArray(memberships.seatId, ids)),
    reservations: db
      .select({ seatId: invitations.seatId, until: invitations.expiresAt })
      .from(invitations)
      .where(and(inArray(invitations.seatId, ids), isPending(now))),
  })
  return new Map(
    [...reservations, ...held.map(({ seatId }) => ({ seatId, until: null }))].flatMap(
      ({ seatId, until }) => (seatId === null ? [] : [[seatId, until] as const])
    )
  )
}
