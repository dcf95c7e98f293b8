import { inArray, lte } from 'drizzle-orm'
import type { Statement } from '../../database/database.ts'
import { invitations } from '../../database/schema.ts'
import type { PurgeContext } from './invitation-config.ts'

const INVITATIONS_PER_SWEEP = 1000
const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Builds the statement that deletes invitations whose retention time is over, in every state: a past
 * expiry means that the invitation is not open. The audit trail keeps its events.
 */
export function purgeInvitations(
  { db, invitations: { retentionDays } }: PurgeContext,
  now: Date
): readonly Statement[] {
  if (retentionDays === Infinity) return []
  const past = db
    .select({ id: invitations.id })
    .from(invitations)
    .where(lte(invitations.expiresAt, new Date(now.getTime() - retentionDays * DAY_MS)))
    .orderBy(invitations.expiresAt)
    .limit(INVITATIONS_PER_SWEEP)
  return [db.delete(invitations).where(inArray(invitations.id, past))]
}
