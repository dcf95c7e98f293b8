import { lte } from 'drizzle-orm'
import { purgeInTurn } from '../../database/purge-in-turn.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { operations } from '../../database/schema/changes-tables.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** The context of purging stored results. */
export interface StoredAnswersContext extends DatabaseContext {
  readonly operationRetentionDays: number
}

/** Builds the statements that delete stored results that are older than `operationRetentionDays`. */
export function purgeOperations(
  { db, operationRetentionDays }: StoredAnswersContext,
  now: Date
): readonly Statement[] {
  if (operationRetentionDays === Infinity) return []
  const key = [operations.actorId, operations.id]
  const isOver = lte(
    operations.createdAt,
    new Date(now.getTime() - operationRetentionDays * DAY_MS)
  )
  return purgeInTurn(db, { table: operations, key, isOver }, now)
}
