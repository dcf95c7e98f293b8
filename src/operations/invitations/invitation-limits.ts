/**
 * The limit of failed attempts to accept: wrong tokens and wrong addresses are counted, and beyond the
 * limit every attempt gets the same refusal, a correct one included.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import { StoreUnavailable, type Database, type DatabaseContext } from '../../database/database.ts'
import { rateLimits } from '../../database/schema/changes-tables.ts'
import { storeRefusal } from '../../engine/changes/operation-refusals.ts'
import { refused, type RefusalCode, type Refused, type Result } from '../../base/result.ts'
import { operationActor, type Caller } from '../../engine/access/principal.ts'
import {
  WINDOW_MS,
  countUp,
  isReached,
  secondsLeft,
  type RateRow,
} from '../../engine/model/rate-limits.ts'
import type { InvitationContext } from './invitation-config.ts'
import { isPending } from '../../engine/seats/counts.ts'
import type { MailPayload } from './mail.ts'

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
  return rowsWhere(db, rateLimits, sql`${rateLimits.key} = ${key}`)
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
  context: Pick<InvitationContext, 'db' | 'invitations' | 'now' | 'report'>,
  key: SQL,
  answer: Result<T, Code>
): Promise<Result<T, Code | 'rate_limited'>> {
  const { db, now, report } = context
  const limit = context.invitations.limits.failedAccepts
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

/**
 * Builds the query that counts a mail before it is sent, if its invitation is still open. Of many
 * concurrent mails at most the limit is counted; the others read one more than the limit.
 */
export function claimMail(
  { db, invitations: { limits } }: Pick<InvitationContext, 'db' | 'invitations'>,
  { invitationId, tokenVersion }: MailPayload,
  now: Date
) {
  const endsAt = now.getTime() + WINDOW_MS
  const isOver = sql`${rateLimits.endsAt} <= ${now.getTime()}`
  return db
    .insert(rateLimits)
    .select(
      sql`select 'recipient:' || email, 1, ${endsAt} from seatgate_invitations
        where id = ${invitationId} and token_version = ${tokenVersion} and ${isPending(now)}`
    )
    .onConflictDoUpdate({
      target: rateLimits.key,
      set: {
        count: sql`case when ${isOver} then 1
          else min(${rateLimits.count} + 1, ${limits.perRecipient + 1}) end`,
        endsAt: sql`case when ${isOver} then ${endsAt} else ${rateLimits.endsAt} end`,
      },
    })
    .returning()
}

/** Returns until when a mail has to wait, given the row of its claim; null if it may be sent. */
export function heldUntil(
  { invitations: { limits } }: Pick<InvitationContext, 'invitations'>,
  claimed: RateRow | undefined
): Date | null {
  return claimed && claimed.count > limits.perRecipient ? claimed.endsAt : null
}

/** Uncounts a mail that the mailer did not accept. If this fails the mail stays counted. */
export async function returnMail(db: Database, { key, endsAt }: RateRow): Promise<void> {
  const same = sql`${rateLimits.key} = ${key} and ${rateLimits.endsAt} = ${endsAt.getTime()}`
  try {
    // The table requires a count of at least one.
    await batch(db, {
      emptied: db.delete(rateLimits).where(sql`${same} and ${rateLimits.count} = 1`),
      returned: db
        .update(rateLimits)
        .set({ count: sql`${rateLimits.count} - 1` })
        .where(sql`${same} and ${rateLimits.count} > 1`),
    })
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
  }
}
