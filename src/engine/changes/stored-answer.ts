/**
 * What an operation answers, and how that is kept to be answered again.
 *
 * @module
 */
import type { Database } from '../../database/database.ts'
import type { RefusalCode } from '../../base/refusal.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import { replaceOutcome, type OperationKey } from './idempotency.ts'

/** What there is to an answer beside its value. */
export interface Answering<T, Code extends RefusalCode = RefusalCode> {
  /** Of an answer with a secret in it: how it is kept, and how it is answered again. */
  readonly secrecy?: Secrecy<T>
  /** What is done once the batch is in; what comes of it is the answer. It may be done twice. */
  readonly settle?: (value: T) => Promise<Result<T, Code>>
}

/** How an answer with a secret in it is kept. */
export interface Secrecy<T> {
  seal(value: T): unknown
  /** Null if it cannot be opened any more: the host has another secret now. */
  open(kept: unknown): Promise<T | null>
}

/** An answer as it is on record; an unsettled one was given to nobody yet. */
export type Kept<Code extends RefusalCode = RefusalCode> = Result<unknown, Code> & {
  readonly unsettled?: true
}

/** An answer as it is recorded with the batch that makes it true. */
export function kept<T>({ secrecy, settle }: Answering<T>, outcome: Result<T>): Kept {
  if (!outcome.ok) return outcome
  if (settle) return { ...outcome, unsettled: true }
  return secrecy ? ok(secrecy.seal(outcome.value)) : outcome
}

/** The answer on record. One that was cut off before anybody had it is settled now. */
export async function recall<T, Code extends RefusalCode>(
  db: Database,
  key: OperationKey,
  operation: Answering<T, Code>,
  earlier: Kept<Code | 'idempotency_mismatch'>
): Promise<Result<T, Code | 'idempotency_mismatch' | 'stored_result_unreadable'>> {
  const { secrecy } = operation
  if (!earlier.ok) return earlier
  if (earlier.unsettled) return settled(db, key, operation, ok(earlier.value as T))
  if (!secrecy) return ok(earlier.value as T)
  const value = await secrecy.open(earlier.value)
  return value === null ? refused({ code: 'stored_result_unreadable' }) : ok(value)
}

/** The answer once it is settled, and kept so: if two settle it, the first one's. */
export async function settled<T, Code extends RefusalCode>(
  db: Database,
  key: OperationKey | null,
  operation: Answering<T, Code>,
  outcome: Result<T, Code>
): Promise<Result<T, Code | 'idempotency_mismatch'>> {
  if (!outcome.ok || !operation.settle) return outcome
  const final = await operation.settle(outcome.value)
  return key ? replaceOutcome(db, key, kept(operation, outcome), final) : final
}
