import { eq, lt } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { Database } from '../../database/database.ts'
import { seatLedgers, type entitlements } from '../../database/schema.ts'
import { readCarriedSeats, type CarriedSeat } from '../../engine/seats/assigned-seats.ts'
import type { SeatLimit } from '../../engine/seats/limit.ts'
import { entitlementOf, limitFrom } from '../../engine/seats/counts.ts'

/** The state that a ledger starts with. */
export interface LedgerStart {
  readonly epoch: number
  readonly version: number
  readonly limit: SeatLimit | null
  readonly seats: readonly CarriedSeat[]
}

/**
 * Starts a ledger: raises the epoch, so that a write admitted by an earlier ledger is refused, then reads
 * the seats in use. From then on a seat leaves D1 only with a release to the new ledger, so reading page
 * by page misses no seat.
 */
export async function startLedger(
  db: Database,
  organizationId: string,
  now: Date
): Promise<LedgerStart> {
  const { epoch, entitlement } = await raiseEpoch(db, organizationId, now.getTime())
  const seats = await readCarriedSeats(db, organizationId, now)
  const { version, limit } = limitFrom(entitlement)
  return { epoch, version, limit, seats: [...seats.values()] }
}

// An epoch is the time of its start. A counter would be unsafe: a lost request that arrives late would
// raise it above the ledger in force, and a restored D1 would give an epoch a second time.
async function raiseEpoch(
  db: Database,
  organizationId: string,
  epoch: number
): Promise<{
  readonly epoch: number
  readonly entitlement: readonly (typeof entitlements.$inferSelect)[]
}> {
  const { raised, inForce, entitlement } = await batch(db, {
    raised: db
      .insert(seatLedgers)
      .values({ organizationId, epoch })
      .onConflictDoUpdate({
        target: seatLedgers.organizationId,
        set: { epoch },
        setWhere: lt(seatLedgers.epoch, epoch),
      })
      .returning(),
    inForce: db.select().from(seatLedgers).where(eq(seatLedgers.organizationId, organizationId)),
    entitlement: entitlementOf(db, organizationId),
  })
  if (raised.length > 0) return { epoch, entitlement }
  // The clock has not moved since the last start, or was ahead then.
  return raiseEpoch(db, organizationId, (inForce[0]?.epoch ?? epoch) + 1)
}
