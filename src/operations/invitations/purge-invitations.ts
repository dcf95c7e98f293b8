import { inArray, lte } from 'drizzle-orm'
import type { Statement } from '../../database/database.ts'
import { invitations } from '../../database/schema.ts'
import type { PurgeContext } from './invitation-config.ts'

const INVITATIONS_PER_SWEEP = 1000
const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Builds the statement that deletes invitations whose time has been over for as long as they are kept,
 * however they ended: one that is past its time is open no more. What happened stays on record in the
 * audit trail.
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
