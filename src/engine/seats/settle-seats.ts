import { and, inArray, sql } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import { batch } from '../../database/batch.ts'
import { seatFences } from '../../database/schema/seats-tables.ts'
import { invitations } from '../../database/schema/invitations-tables.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import { isPending } from './counts.ts'

/** A seat that a membership or a live invitation carries in D1. */
export interface SettledSeat {
  /** Until when the invitation reserves it; null for a membership's. */
  readonly until: Date | null
  /** The member; null for an invitation's. */
  readonly userId: string | null
}

/**
 * Settles reservations whose deadline has passed: fences every seat that neither a membership nor a live
 * invitation carries, and returns the others by their ids. D1's single writer decides between the fence and a late write. A fence is
 * that of a pool, whose ledger deletes it.
 */
export async function settleSeats(
  db: Database,
  pool: string,
  seatIds: readonly string[],
  now: Date
): Promise<ReadonlyMap<string, SettledSeat>> {
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
      .select({ seatId: memberships.seatId, userId: memberships.userId })
      .from(memberships)
      .where(inArray(memberships.seatId, ids)),
    reservations: db
      .select({ seatId: invitations.seatId, until: invitations.expiresAt })
      .from(invitations)
      .where(and(inArray(invitations.seatId, ids), isPending(now))),
  })
  return new Map(
    [
      ...reservations.map((row) => ({ ...row, userId: null })),
      ...held.map((row) => ({ ...row, until: null })),
    ].flatMap(({ seatId, ...settled }) => (seatId === null ? [] : [[seatId, settled] as const]))
  )
}
