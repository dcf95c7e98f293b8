/**
 * The limit of mails to one address in 24 hours, over all organizations. A mail beyond the limit waits
 * until the window is over. The invitation is created, and its inviter does not learn of the delay.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { StoreUnavailable, type Database } from '../../database/database.ts'
import { rateLimits } from '../../database/schema.ts'
import { isPending } from '../../engine/seats/counts.ts'
import type { MailPayload } from './mail.ts'
import { WINDOW_MS, type RateRow } from '../../engine/model/rate-limits.ts'
import type { InvitationContext } from './invitation-config.ts'

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
