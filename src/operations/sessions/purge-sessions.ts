import { inArray, lte } from 'drizzle-orm'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { sessions } from '../../database/schema.ts'

const SESSIONS_PER_SWEEP = 1000
// Until then a session that has expired still says when its user was active last.
const KEPT_DAYS = 30
const DAY_MS = 24 * 60 * 60 * 1000

/** Builds the statement that deletes sessions that expired 30 days ago, the oldest first. */
export function purgeSessions({ db }: DatabaseContext, now: Date): Statement {
  const past = db
    .select({ tokenHash: sessions.tokenHash })
    .from(sessions)
    .where(lte(sessions.expiresAt, new Date(now.getTime() - KEPT_DAYS * DAY_MS)))
    .orderBy(sessions.expiresAt)
    .limit(SESSIONS_PER_SWEEP)
  return db.delete(sessions).where(inArray(sessions.tokenHash, past))
}
