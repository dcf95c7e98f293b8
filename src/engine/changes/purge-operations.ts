import { lte, sql } from 'drizzle-orm'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { operations } from '../../database/schema.ts'

const OPERATIONS_PER_SWEEP = 1000
const DAY_MS = 24 * 60 * 60 * 1000

/** The context of purging stored results. */
export interface StoredAnswersContext extends DatabaseContext {
  readonly operationRetentionDays: number
}

/** Builds the statement that deletes stored results that are older than `operationRetentionDays`. */
export function purgeOperations(
  { db, operationRetentionDays }: StoredAnswersContext,
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
