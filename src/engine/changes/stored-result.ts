/**
 * Results of operations, and their stored form.
 *
 * @module
 */
import type { Database } from '../../database/database.ts'
import { ok, type Refusal, type RefusalCode, type Result } from '../../base/result.ts'
import { replaceOutcome, type OperationKey } from './idempotency.ts'

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

// Transient refusals, which may differ the next time. They are not stored.
const TRANSIENT: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'operation_in_progress',
  'invalid_password',
  'step_up_required',
  'step_up_failed',
  'hook_failed',
  'rate_limited',
  'rate_limited_user',
  'rate_limited_organization',
  'seats_unavailable',
  'unavailable',
  'schema_mismatch',
])

// A missing proof is transient like a wrong one: proofs are not part of the digest. So is a seat that could
// not be bought because the billing provider does not answer.
function isTransient(refusal: Refusal): boolean {
  if (refusal.code === 'seat_limit_reached') return refusal.expansion === 'provider_unavailable'
  if (refusal.code !== 'validation_error') return TRANSIENT.has(refusal.code)
  return 'password' in refusal.errors || 'stepUpProof' in refusal.errors
}

// Refusals of callers without access. Any caller can cause them.
const ABSENT: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'unauthenticated',
  'organization_not_found',
  'not_found',
  'not_a_member',
  'invitation_invalid',
])

/** Whether a refusal is stored under its key. Strangers could otherwise fill the table. */
export function isStored(refusal: Refusal, membership: unknown): boolean {
  return !isTransient(refusal) && (membership !== null || !ABSENT.has(refusal.code))
}
