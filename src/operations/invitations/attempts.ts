/**
 * How often somebody may be wrong when they accept: a token that is none and an address that is not
 * the invitation's are counted, and beyond the limit every attempt is answered alike, the right one
 * included.
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

/** The name under which the attempts of a user are counted. */
export function attemptsOf(caller: Caller): SQL {
  return sql`'accept:' || ${operationActor(caller)}`
}

/** The same for somebody who is nobody yet: they hold the token of this invitation. */
export function attemptsOn(invitationId: string): SQL {
  return sql`'accept:invitation:' || ${invitationId}`
}

/** Selects what was counted under a name. */
export function attemptsSoFar({ db }: DatabaseContext, key: SQL) {
  return db
    .select()
    .from(rateLimits)
    .where(sql`${rateLimits.key} = ${key}`)
}

/** Refuses whoever has been wrong too often. */
export function refuseAttempt(
  { invitations: { limits } }: Pick<InvitationContext, 'invitations'>,
  [counted]: readonly RateRow[],
  now: Date
): Refused<'rate_limited'> | null {
  if (!isReached(limits.failedAccepts, counted, now)) return null
  return refused({ code: 'rate_limited', retryAfterSeconds: secondsLeft(counted, now) })
}

// What tells a guess from a hit. An authentic token that has ended is no guess.
const WRONG: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'invitation_invalid',
  'invitation_mismatch',
  'email_mismatch',
])

/**
 * Counts an answer if it says that the attempt was wrong. Of many at the same time only as many as the
 * limit allows are told so. If D1 does not answer, the answer stands and the failure is reported: who
 * is in the right is not kept out by the count.
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
