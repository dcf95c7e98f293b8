/**
 * Which refusals are stored under an operation id.
 *
 * @module
 */
import type { Refusal, RefusalCode } from '../../base/refusal.ts'

// Transient refusals, which may differ the next time. They are not stored.
const PASSING: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
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

// A missing proof is transient like a wrong one: proofs are not part of the digest.
function isPassing(refusal: Refusal): boolean {
  if (refusal.code !== 'validation_error') return PASSING.has(refusal.code)
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
export function isKept(refusal: Refusal, membership: unknown): boolean {
  return !isPassing(refusal) && (membership !== null || !ABSENT.has(refusal.code))
}
