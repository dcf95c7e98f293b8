import { lte, sql } from 'drizzle-orm'
import type { Statement } from '../database/database.ts'
import { operations } from '../database/schema.ts'
import type { Seatgate } from '../seatgate.ts'

const OPERATIONS_PER_SWEEP = 1000
const DAY_MS = 24 * 60 * 60 * 1000

/** Builds the statement that deletes stored answers that are past `operationRetentionDays`. */
export function purgeOperations(
  { db, operationRetentionDays }: Seatgate,
  now: Date
): readonly Statement[] {
  if (operationRetentionDays === Infinity) return []
  const past = db
    .select({ actorId: operations.actorId, id: operations.id })
    .from(operations)
    .where(lte(operations.createdAt, new Date(now.getTime() - operationRetentionDays * DAY_MS)))
    .orderBy(operations.createdAt)
    .limit(OPERATIONS_PER_SWEEP)
  return [db.delete(operations).where(sql`(${operations.actorId}, ${operations.id}) in ${past}`)]
}
