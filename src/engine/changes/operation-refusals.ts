/**
 * The refusals of an operation: compared with the codes that it lists, stored under its id or not, and those
 * of a batch that D1 rolled back or did not take.
 *
 * @module
 */
import {
  HOOK_REFUSALS,
  PROOF_REFUSALS,
  SEAT_REFUSALS,
  hasCode,
  invalid,
  refused,
  type CommitRefusal,
  type Refusal,
  type RefusalCode,
  type RefusalOf,
  type Refused,
  type SeatRefusal,
} from '../../base/result.ts'
import { typeAtPlace } from '../../base/seat-types.ts'
import type { Aborted, GuardCode } from '../../database/commit.ts'
import type { Plan } from '../model/plan.ts'
import type { ProviderContext } from '../seats/provider.ts'
import type { ChangeContext } from './change-context.ts'
import {
  SchemaMismatch,
  StatementFailed,
  StoreUnavailable,
  reasonOf,
} from '../../database/database.ts'
import type { Runtime } from '../../base/runtime.ts'

/** The codes that every operation may return, in addition to those of its plan. */
export type PerformRefusal = 'unauthenticated' | CommitRefusal

const PERFORM_REFUSALS = [
  'unauthenticated',
  'host_conflict',
  'operation_in_progress',
  'unavailable',
  'schema_mismatch',
] as const satisfies PerformRefusal[]

/** The codes that an operation lists, by its name. */
export interface Listing<Further extends RefusalCode> {
  readonly name: string
  /** Default: any. */
  readonly refusals?: readonly Further[]
}

/**
 * Types a refusal by the codes that the operation lists. Another code is returned as well, since the
 * caller needs the truth more than its type, and reported: then the list is wrong.
 */
export function answerable<Further extends RefusalCode>(
  { report }: Pick<ChangeContext, 'report'>,
  { name, refusals }: Listing<Further>,
  refusal: Refusal
): Refused<Further | PerformRefusal> {
  if (hasCode(refusal, PERFORM_REFUSALS)) return refused(refusal)
  if (isListed(refusal, refusals)) return refused<Further>(refusal)
  const error = new TypeError(`${name} does not list ${refusal.code} among its refusals.`)
  report({ event: 'refusal_not_listed', error })
  return refused(refusal as RefusalOf<Further>)
}

function isListed<Further extends RefusalCode>(
  refusal: Refusal,
  refusals: readonly Further[] | undefined
): refusal is RefusalOf<Further> {
  return refusals === undefined || hasCode(refusal, refusals)
}

/**
 * Compares the steps of a plan with the refusals that the operation lists, before any of them occurs.
 *
 * @throws {TypeError} if one is missing.
 */
export function checkListed(
  { name, refusals }: Listing<RefusalCode>,
  { proof, before = [], lifecycle, claims = [] }: Plan<unknown>
): void {
  if (refusals === undefined) return
  const needed: readonly RefusalCode[] = [
    ...(proof ? PROOF_REFUSALS : []),
    ...(before.length > 0 || lifecycle ? HOOK_REFUSALS : []),
    ...claims.flatMap(({ kind }): readonly SeatRefusal[] =>
      kind === 'founding' ? ['seats_unavailable'] : SEAT_REFUSALS
    ),
  ]
  const missing = needed.find((code) => !refusals.includes(code))
  if (missing) throw new TypeError(`${name} does not list ${missing} among its refusals.`)
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

/**
 * Returns the refusal for an error of D1, and reports the error. A growing operation is refused with
 * `seats_unavailable` only if D1 did not answer: a statement that D1 refused does not concern seats.
 *
 * Rethrows other errors.
 */
export function storeRefusal(
  { report }: Pick<Runtime, 'report'>,
  error: unknown,
  { grows = false }: { readonly grows?: boolean } = {}
): RefusalOf<'seats_unavailable' | 'unavailable' | 'schema_mismatch'> {
  if (!(error instanceof StoreUnavailable)) throw error
  const isSchema = error instanceof SchemaMismatch
  report({ event: error.event, error: reasonOf(error) })
  if (isSchema) return { code: 'schema_mismatch' }
  const isOutage = !(error instanceof StatementFailed)
  return { code: grows && isOutage ? 'seats_unavailable' : 'unavailable' }
}

/** The codes of a rolled back batch. */
export type BatchRefusal = RefusalCodeOfGuard | 'host_conflict' | 'not_found' | 'validation_error'

type RefusalCodeOfGuard = Exclude<
  GuardCode,
  'stale' | 'ledger_superseded' | 'session_gone' | 'slug_taken' | 'user_unknown'
>

/** Returns the refusal of a rolled back batch; null if the change must be planned again. */
export function refusalOf(
  { seatContext }: Pick<ProviderContext, 'seatContext'>,
  { code, numbers }: Aborted
): RefusalOf<BatchRefusal> | null {
  switch (code) {
    case 'stale':
    case 'ledger_superseded':
    case 'broken':
      return null
    case 'rate_limited_user':
    case 'rate_limited_organization':
      return { code, retryAfterSeconds: numbers[0] ?? 1 }
    case 'seat_limit_reached':
    case 'owned_limit_reached':
    case 'membership_limit_reached': {
      const seatType = typeAtPlace(seatContext, numbers[2] ?? 0)
      const counted = { limit: numbers[0] ?? 0, used: numbers[1] ?? 0 }
      return { code, ...counted, ...(seatType !== null && { seatType }) }
    }
    case 'session_gone':
      return { code: 'not_found' }
    case 'slug_taken':
      return invalid({ slug: ['This slug is already taken.'] })
    case 'user_unknown':
      return invalid({ userId: ['This user does not exist.'] })
    default:
      return { code }
  }
}
