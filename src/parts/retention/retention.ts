import { asc, inArray, lte } from 'drizzle-orm'
import { budgeted } from '../../database/statement-budget.ts'
import { checkOptionNames, namesOf } from '../../base/names.ts'
import { batch } from '../../database/batch.ts'
import { auditRetention } from '../../database/schema/log-tables.ts'
import { partOf, type PartContext } from '../../engine/changes/part.ts'
import { archiveIn, type ArchiveBucket } from './archive.ts'
import { purgeAuditEvents } from './purge.ts'
import {
  markScheduled,
  retentionMistake,
  warnWhenCommitted,
  type Retention,
  type RetentionContext,
  type RetentionWindow,
} from './retention-windows.ts'

const ORGANIZATIONS_PER_SWEEP = 20
const STATEMENTS_EACH = 40
const DAY_MS = 24 * 60 * 60 * 1000

/** Options of {@link retention}. */
export interface RetentionOptions {
  /**
   * The bucket that events are moved to, such as `env.ARCHIVE`, in place of deleting them: lists, exports
   * and proofs go on through it. Default: they are deleted.
   */
  readonly archive?: ArchiveBucket
}

const OPTIONS = namesOf<RetentionOptions>({ archive: true })

/**
 * Makes the part that deletes audit events which are past their window, or moves them to an archive. It only deletes what a checkpoint
 * of the log covers, so it needs `auditLog()` beside it, and `sweepHandler` in the same Worker. An empty
 * list keeps every event, and still allows legal holds. Without the part events are kept without an end.
 *
 * @throws {TypeError} if a window or an option is wrong.
 *
 * @example
 * ```ts
 * createSeatgate({
 *   …,
 *   audit: { log: auditLog({ key }), retention: retention([{ days: 365 }]) },
 * })
 * ```
 */
export function retention(
  windows: readonly RetentionWindow[],
  options: RetentionOptions = {}
): Retention {
  const mistake = retentionMistake(windows)
  if (mistake !== null) throw new TypeError(`retention: the list of windows ${mistake}`)
  checkOptionNames('retention', options, OPTIONS)
  const { archive } = options
  if (archive !== undefined && typeof archive?.put !== 'function') {
    throw new TypeError('retention: archive must be a bucket.')
  }
  return {
    part: 'retention',
    windows,
    archive: archive === undefined ? null : archiveIn(archive),
    listeners: windows.length > 0 ? [warnWhenCommitted] : [],
    sweeps: [
      {
        name: 'retention',
        statements: 100,
        turn: () => 40,
        run: (context: RetentionContext) => sweepRetention(context),
        scheduled: markScheduled,
      },
    ],
    check({ log }: PartContext) {
      if (windows.length === 0 || log !== null) return
      throw new TypeError('createSeatgate: audit.retention needs audit.log.')
    },
  }
}

/**
 * Purges events that are past their window, in the organizations that have waited longest: checks each
 * once a day, and again at once while there is more to purge. The next sweep serves those for which no
 * statements are left.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * await sweepRetention(seatgate)
 * ```
 */
export async function sweepRetention(unbudgeted: RetentionContext): Promise<void> {
  const context = budgeted(unbudgeted)
  const { db, now, report, budget } = context
  const { windows } = partOf(context, 'retention')
  markScheduled(context)
  if (windows.length === 0) return
  const most = budget.rows(ORGANIZATIONS_PER_SWEEP, STATEMENTS_EACH, 1)
  const time = now()
  const due = db
    .select({ organizationId: auditRetention.organizationId })
    .from(auditRetention)
    .where(lte(auditRetention.dueAt, time))
    .orderBy(asc(auditRetention.dueAt))
    .limit(most)
  const { claimed } = await batch(db, {
    claimed: db
      .update(auditRetention)
      .set({ dueAt: new Date(time.getTime() + DAY_MS) })
      .where(inArray(auditRetention.organizationId, due))
      .returning({ organizationId: auditRetention.organizationId }),
  })
  if (claimed.length === most && most < ORGANIZATIONS_PER_SWEEP) budget.leave()
  for (const { organizationId } of claimed) {
    const scope = { caller: { type: 'system' }, organization: organizationId } as const
    try {
      const run = await purgeAuditEvents(context, scope)
      if (!run.ok) report({ event: 'purge_failed', organizationId, error: run.error })
    } catch (error) {
      // Without the bucket the trail stays, and the next sweep after a day tries again.
      if (partOf(context, 'retention').archive === null) throw error
      report({ event: 'archive_failed', organizationId, error })
    }
  }
}
