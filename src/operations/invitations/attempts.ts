/**
 * The limit of failed attempts to accept: wrong tokens and wrong addresses are counted, and beyond the
 * limit every attempt gets the same refusal, a correct one included.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { rateLimits } from '../../database/schema.ts'
import { storeRefusal } from '../../engine/changes/store-refusal.ts'
import type { RefusalCode } from '../../base/refusal.ts'
import { refused, type Refused, type Result } from '../../base/result.ts'
import { operationActor, type Caller } from '../../engine/access/principal.ts'
import { countUp, isReached, secondsLeft, type RateRow } from '../../engine/model/rate-limits.ts'
import type { InvitationContext } from './invitation-config.ts'

/** Returns the name under which a user's attempts are counted. */
export function attemptsOf(caller: Caller): SQL {
  return sql`'accept:' || ${operationActor(caller)}`
}

/** Returns the name under which attempts of visitors with this invitation's token are counted. */
export function attemptsOn(invitationId: string): SQL {
  return sql`'accept:invitation:' || ${invitationId}`
}

/** Selects the counter of a name. */
export function attemptsSoFar({ db }: DatabaseContext, key: SQL) {
  return db
    .select()
    .from(rateLimits)
    .where(sql`${rateLimits.key} = ${key}`)
}

/** Refuses an attempt after too many wrong ones. */
export function refuseAttempt(
  { invitations: { limits } }: Pick<InvitationContext, 'invitations'>,
  [counted]: readonly RateRow[],
  now: Date
): Refused<'rate_limited'> | null {
  if (!isReached(limits.failedAccepts, counted, now)) return null
  return refused({ code: 'rate_limited', retryAfterSeconds: secondsLeft(counted, now) })
}

// The refusals that reveal a wrong guess. An authentic token of an ended invitation is not a guess.
const WRONG: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'invitation_invalid',
  'invitation_mismatch',
  'email_mismatch',
])

/**
 * Counts an attempt that was refused as wrong. Of many concurrent attempts only as many as the limit
 * allows receive the refusal itself. If D1 does not answer, the result stands and the failure is
 * reported: the counter must not block a correct attempt.
 */
export async function countAttempt<T, Code extends RefusalCode>(
  seatgate: Pick<InvitationContext, 'db' | 'invitations' | 'now' | 'report'>,
  key: SQL,
  answer: Result<T, Code>
): Promise<Result<T, Code | 'rate_limited'>> {
  const { db, now, report } = seatgate
  const limit = seatgate.invitations.limits.failedAccepts
  if (answer.ok || !WRONG.has(answer.error.code) || limit === Infinity) return answer
  const at = now()
  try {
    const { counted } = await batch(db, { counted: countUp(db, key, 1, at).returning() })
    const [row] = counted
    if (row === undefined || row.count <= limit) return answer
    return refused({ code: 'rate_limited', retryAfterSeconds: secondsLeft(row, at) })
  } catch (error) {
    storeRefusal({ report }, error)
    return answer
  }
}
