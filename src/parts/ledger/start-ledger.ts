import { eq, lt } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { Database } from '../../database/database.ts'
import { seatLedgers, type entitlements } from '../../database/schema.ts'
import { readCarriedSeats, type CarriedSeat } from '../../engine/seats/assigned-seats.ts'
import type { SeatLimit } from '../../engine/seats/limit.ts'
import { entitlementOf, limitFrom } from '../../engine/seats/counts.ts'

/** What a ledger starts from. */
export interface LedgerStart {
  readonly epoch: number
  readonly version: number
  readonly limit: SeatLimit | null
  readonly seats: readonly CarriedSeat[]
}

/**
 * Starts a ledger: raises the epoch, so that no write admitted by an earlier ledger can land any
 * more, then reads the seats in use. From here on seats can only disappear from D1 without the new
 * ledger's word, and each disappearance is told to it; so reading page by page misses nothing.
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

// An epoch is the time of its start. Asked to count up instead, a request that was given up for lost and
// arrives after all would raise it over the head of the ledger in force, and a D1 that was restored
// would give an epoch a second time.
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
