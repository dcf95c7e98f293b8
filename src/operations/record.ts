import { and, eq, sql, type SQL } from 'drizzle-orm'
import { batch } from '../database/batch.ts'
import type { Database, Statement } from '../database/database.ts'
import { operations } from '../database/schema.ts'
import { refused, type Result } from '../result.ts'
import { sha256 } from '../sha256.ts'

/** An operation that is answered once: its id, and a digest of what was asked for. */
export interface OperationKey {
  readonly id: string
  readonly digest: string
}

/** An answer on record. */
export type Recorded = Pick<typeof operations.$inferSelect, 'digest' | 'outcome'>

/** Digests what was asked for, so that the same id with another question is noticed. */
export async function operationKey(id: string, question: unknown): Promise<OperationKey> {
  return { id, digest: await sha256(JSON.stringify(question)) }
}

/** Looks up what this caller was answered under this id. */
export function recordedOutcome(
  db: Database,
  actor: SQL<string | null> | string,
  { id }: OperationKey
) {
  return db
    .select({ digest: operations.digest, outcome: operations.outcome })
    .from(operations)
    .where(and(eq(operations.actorId, sql`${actor}`), eq(operations.id, id)))
}

/** The first answer again, or `idempotency_mismatch`; null if there was none. */
export function replay<T>(rows: readonly Recorded[], { digest }: OperationKey): Result<T> | null {
  const [row] = rows
  if (row === undefined) return null
  if (row.digest !== digest) return refused({ code: 'idempotency_mismatch' })
  return JSON.parse(row.outcome) as Result<T>
}

/** Writes an answer, for the batch that makes it true. A second one breaks the primary key. */
export function recordOutcome(
  db: Database,
  actorId: string,
  { id, digest }: OperationKey,
  outcome: Result<unknown>,
  createdAt: Date
) {
  return db
    .insert(operations)
    .values({ actorId, id, digest, outcome: JSON.stringify(outcome), createdAt })
}

/**
 * Writes an answer that changed nothing, unless another attempt was answered first: then that one's
 * answer is the answer.
 */
export async function settleOutcome<T>(
  db: Database,
  actorId: string,
  key: OperationKey,
  outcome: Result<T>,
  now: Date
): Promise<Result<T>> {
  const statements = {
    recorded: recordOutcome(db, actorId, key, outcome, now).onConflictDoNothing() as Statement,
    first: recordedOutcome(db, actorId, key),
  }
  const { first } = await batch(db, statements)
  return replay<T>(first, key) ?? outcome
}

/** Writes an answer in place of one that nobody was given yet, unless somebody else has: then theirs. */
export async function replaceOutcome<T>(
  db: Database,
  actorId: string,
  key: OperationKey,
  present: unknown,
  outcome: Result<T>
): Promise<Result<T>> {
  const { first } = await batch(db, {
    replaced: db
      .update(operations)
      .set({ outcome: JSON.stringify(outcome) })
      .where(
        and(
          eq(operations.actorId, actorId),
          eq(operations.id, key.id),
          eq(operations.outcome, JSON.stringify(present))
        )
      ),
    first: recordedOutcome(db, actorId, key),
  })
  return replay<T>(first, key) ?? outcome
}
