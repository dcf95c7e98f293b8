import { sql, type SQL } from 'drizzle-orm'
import type { Runtime } from '../../base/runtime.ts'
import { batch } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { rotations } from '../../database/schema/changes-tables.ts'

// The rotation of the sweep itself: its place is the time of the last run.
const NAME = 'sweep'

/**
 * Records the time of this sweep.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function recordSweep({
  db,
  now,
}: DatabaseContext & Pick<Runtime, 'now'>): Promise<void> {
  const place = now().toISOString()
  await batch(db, {
    recorded: db
      .insert(rotations)
      .values({ name: NAME, place })
      .onConflictDoUpdate({ target: rotations.name, set: { place } }),
  })
}

/** Builds a scalar subquery of the time of the last sweep, ISO 8601; null before the first one. */
export function lastSweepAt(): SQL<string | null> {
  return sql<string | null>`(select place from seatgate_rotations where name = ${NAME})`
}
