import { asc, inArray, lte } from 'drizzle-orm'
import { batch } from '../database/batch.ts'
import { auditRetention } from '../database/schema.ts'
import { purgeAuditEvents } from './purge.ts'
import type { RetentionContext } from './rules.ts'
import { markScheduled } from './scheduled.ts'

const ORGANIZATIONS_PER_SWEEP = 20
const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Takes away what is past its window, in the organizations that waited longest: each is looked at once
 * a day, and again at once while there is more to go.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function sweepRetention(seatgate: RetentionContext): Promise<void> {
  const { db, now, report, retention } = seatgate
  markScheduled(seatgate)
  if (retention.length === 0) return
  const time = now()
  const due = db
    .select({ organizationId: auditRetention.organizationId })
    .from(auditRetention)
    .where(lte(auditRetention.dueAt, time))
    .orderBy(asc(auditRetention.dueAt))
    .limit(ORGANIZATIONS_PER_SWEEP)
  const { claimed } = await batch(db, {
    claimed: db
      .update(auditRetention)
      .set({ dueAt: new Date(time.getTime() + DAY_MS) })
      .where(inArray(auditRetention.organizationId, due))
      .returning({ organizationId: auditRetention.organizationId }),
  })
  for (const { organizationId } of claimed) {
    const scope = { caller: { type: 'system' }, organization: organizationId } as const
    const run = await purgeAuditEvents(seatgate, scope)
    if (!run.ok) report({ event: 'purge_failed', organizationId, error: run.error })
  }
}
