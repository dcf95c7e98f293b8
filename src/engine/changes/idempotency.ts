/**
 * Results that are stored under an operation id: the keys, the rows, their forms and their replay.
 *
 * @module
 */
import { and, eq, sql } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { Database, Statement } from '../../database/database.ts'
import { operations } from '../../database/schema/changes-tables.ts'
import { canonicalJson, sha256 } from '../../proof/encoding.ts'
import { UnreadableInput } from '../../base/input.ts'
import { invalid, ok, refused, type RefusalCode, type Result } from '../../base/result.ts'
import {
  isUser,
  operationActor,
  type Caller,
  type Principal,
  type Scope,
} from '../access/principal.ts'

/** The key of an operation: the caller, the id, and a digest of the input. */
export interface OperationKey {
  readonly actorId: string
  readonly id: string
  readonly digest: string
}

/** A stored result. */
export type Recorded = Pick<typeof operations.$inferSelect, 'id' | 'digest' | 'outcome'>

/**
 * Creates the key of an operation. The digest detects the same id with another input; it is made from
 * canonical JSON, so that equal inputs have equal digests. An operator who acts as a user has separate
 * ids: their results and the user's are not mixed.
 */
export async function operationKey(
  id: string,
  caller: Principal,
  question: unknown
): Promise<OperationKey> {
  const actor = actingAs(caller)
  return {
    actorId: operationActor(caller),
    id: actor === null ? id : `${id}${ACTING}${await fitting(actor)}`,
    // Includes the actor, in case an id that a host chose looks like that of another actor.
    digest: await sha256(canonicalJson([question, actor])),
  }
}

function actingAs(caller: Principal): string | null {
  return isUser(caller) ? (caller.impersonatedBy ?? null) : null
}

const ACTING = ' by '
// The character after a space: it ends the range of all ids that begin with `ID by `.
const AFTER_ACTING = ' by!'
// The column takes 255 characters, for an id and an actor together.
const LONGEST_PART = 120

async function fitting(part: string): Promise<string> {
  return part.length <= LONGEST_PART ? part : sha256(part)
}

/**
 * Selects the results that are stored under this id, those of operators who act as the user included: a query
 * that establishes the caller has not yet said whether one does.
 */
export function recordedOutcomes(db: Database, caller: Caller, id: string) {
  return recorded(db).where(
    and(
      eq(operations.actorId, sql`${operationActor(caller)}`),
      sql`${operations.id} between ${id} and ${`${id}${AFTER_ACTING}`}`
    )
  )
}

function recordedUnder(db: Database, { actorId, id }: OperationKey) {
  return recorded(db).where(and(eq(operations.actorId, actorId), eq(operations.id, id)))
}

function recorded(db: Database) {
  return db
    .select({ id: operations.id, digest: operations.digest, outcome: operations.outcome })
    .from(operations)
    .$dynamic()
}

/**
 * Returns the stored result, `idempotency_mismatch`, or null without a stored result. The digest includes the
 * name of the operation, so a stored result carries a code of the same operation.
 */
export function replay<T, Code extends RefusalCode>(
  rows: readonly Recorded[],
  { id, digest }: OperationKey
): Result<T, Code | 'idempotency_mismatch'> | null {
  const row = rows.find((earlier) => earlier.id === id)
  if (row === undefined) return null
  if (row.digest !== digest) return refused({ code: 'idempotency_mismatch' })
  return JSON.parse(row.outcome) as Result<T, Code>
}

/**
 * Builds the statement that stores a result, for its own batch. A second result breaks the primary key.
 */
export function recordOutcome(
  db: Database,
  { actorId, id, digest }: OperationKey,
  outcome: Result<unknown>,
  createdAt: Date
) {
  return db
    .insert(operations)
    .values({ actorId, id, digest, outcome: JSON.stringify(outcome), createdAt })
}

/**
 * Stores a result that changed no row. Returns null, or the stored result of another attempt that was
 * first: in its stored form, as {@link replay} returns it.
 */
export async function storeOutcome<T, Code extends RefusalCode>(
  db: Database,
  key: OperationKey,
  outcome: Result<T, Code>,
  now: Date
): Promise<Result<unknown, Code | 'idempotency_mismatch'> | null> {
  const statements = {
    recorded: recordOutcome(db, key, outcome, now).onConflictDoNothing() as Statement,
    first: recordedUnder(db, key),
  }
  const { first } = await batch(db, statements)
  const isOurs = first[0]?.digest === key.digest && first[0].outcome === JSON.stringify(outcome)
  return isOurs ? null : replay<unknown, Code>(first, key)
}

/**
 * Replaces a result that was not returned to a caller yet, unless another attempt did: then returns that
 * one.
 */
async function replaceOutcome<T, Code extends RefusalCode>(
  db: Database,
  key: OperationKey,
  current: unknown,
  outcome: Result<T, Code>
): Promise<Result<T, Code | 'idempotency_mismatch'>> {
  const { first } = await batch(db, {
    replaced: db
      .update(operations)
      .set({ outcome: JSON.stringify(outcome) })
      .where(
        and(
          eq(operations.actorId, key.actorId),
          eq(operations.id, key.id),
          eq(operations.outcome, JSON.stringify(current))
        )
      ),
    first: recordedUnder(db, key),
  })
  return replay<T, Code>(first, key) ?? outcome
}

/** The parts of a result beside its value. */
export interface Answering<T, Code extends RefusalCode = RefusalCode> {
  /** How a result with a secret is stored and replayed. */
  readonly sealing?: Sealing<T, Code>
  /** Runs after the commit; its result is the result of the operation. It may run twice. */
  readonly finish?: (value: T) => Promise<Result<T, Code>>
}

/** How a result with a secret is stored. */
export interface Sealing<T, Code extends RefusalCode> {
  seal(value: T): unknown
  /** Refuses if it cannot be decrypted, because the host has another secret now. */
  open(storedForm: unknown): Promise<Result<T, Code>>
}

/** A stored result; an unsettled one was not returned to a caller yet. */
export type StoredResult<Code extends RefusalCode = RefusalCode> = Result<unknown, Code> & {
  readonly unsettled?: true
}

/** Returns the stored form of a result, for its own batch. */
export function storedForm<T>({ sealing, finish }: Answering<T>, outcome: Result<T>): StoredResult {
  if (!outcome.ok) return outcome
  if (finish) return { ...outcome, unsettled: true }
  return sealing ? ok(sealing.seal(outcome.value)) : outcome
}

/** Returns the stored result. A result that was cut off before it was returned is settled now. */
export async function replayResult<T, Code extends RefusalCode>(
  db: Database,
  key: OperationKey,
  operation: Answering<T, Code>,
  earlier: StoredResult<Code | 'idempotency_mismatch'>
): Promise<Result<T, Code | 'idempotency_mismatch'>> {
  const { sealing } = operation
  if (!earlier.ok) return earlier
  if (earlier.unsettled) return finished(db, key, operation, ok(earlier.value as T))
  return sealing ? sealing.open(earlier.value) : ok(earlier.value as T)
}

/** Settles a result and stores it; if two attempts settle it, the first one's is returned. */
export async function finished<T, Code extends RefusalCode>(
  db: Database,
  key: OperationKey | null,
  operation: Answering<T, Code>,
  outcome: Result<T, Code>
): Promise<Result<T, Code | 'idempotency_mismatch'>> {
  if (!outcome.ok || !operation.finish) return outcome
  const final = await operation.finish(outcome.value)
  return key ? replaceOutcome(db, key, storedForm(operation, outcome), final) : final
}

// SQLite ends a text at a NUL, and stores a lone surrogate as another character.
function isOperationId(id: unknown): boolean {
  return typeof id === 'string' && /^[^\0\p{Cs}]{1,255}$/u.test(id)
}

// Far more than any input of the library has. Deeper input would overflow the stack when it is digested.
const MOST_LEVELS = 100

/**
 * Returns the input with its operation id, by a digest if it is long; null without an id, and for an input that
 * could not be read.
 *
 * @throws {TypeError} if the id is not valid.
 */
export async function questionOf(
  name: string,
  { organization }: Scope,
  input: unknown,
  operationId: string | undefined
): Promise<Result<Question | null, never>> {
  if (operationId !== undefined && !isOperationId(operationId)) {
    throw new TypeError(
      'operationId must be 1 to 255 characters long, without NUL or lone surrogates.'
    )
  }
  if (operationId === undefined || input instanceof UnreadableInput) return ok(null)
  const asked = [name, organization ?? null, input]
  if (!isDeeperThan(MOST_LEVELS, asked)) return ok({ id: await fitting(operationId), asked })
  const tooDeep = [`Must not be nested more than ${MOST_LEVELS} levels deep.`]
  return new UnreadableInput(invalid({ body: tooDeep })).refuse()
}

/** An operation id and the input under it. */
export interface Question {
  readonly id: string
  readonly asked: unknown
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels < 0 || Object.values(value).some((member) => isDeeperThan(levels - 1, member))
}
