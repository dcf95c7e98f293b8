import { observed } from '../../engine/access/observed.ts'
import { partOf } from '../../engine/changes/part.ts'
import { desc, eq } from 'drizzle-orm'
import { auditPurges, auditRetention } from '../../database/schema/log-tables.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { find, authorizeKeeper } from '../../engine/access/authorize.ts'
import { ok, type AccessRefusal, type Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { HasRetention } from './retention-windows.ts'

/** A recorded run of retention. */
export interface RecordedPurge {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly events: number
  readonly personalRecords: number
  readonly deadLetters: number
  /** The leaf of the last purged event, in base64. */
  readonly lastHash: string
  /** The checkpoint that covers it. */
  readonly checkpointSize: number
  readonly forced: boolean
  readonly startedAt: string
  /** The duration; null if a crash prevented recording it. */
  readonly milliseconds: number | null
}

/** The state of retention in an organization. */
export interface RetentionStatus {
  /** The sequence up to which the trail is purged; 0 if it is complete. */
  readonly horizon: number
  readonly legalHold: { readonly reason: string; readonly since: string } | null
  /** The latest runs, newest first. */
  readonly runs: readonly RecordedPurge[]
}

const RUNS = 50

/** Why {@link retentionStatus} refuses. */
export type RetentionStatusRefusal = AccessRefusal

/**
 * Returns the state of retention in an organization, for those who administer its members and for
 * operators.
 *
 * Refusals: `AccessRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const status = await retentionStatus(seatgate, { caller: { userId }, organization: 'acme' })
 * ```
 */
export function retentionStatus(
  context: AccessContext & HasRetention,
  scope: OrganizationScope
): Promise<Result<RetentionStatus, RetentionStatusRefusal>> {
  return observed(context, 'audit.retention_status', async (context) => {
    const { db } = context
    partOf(context, 'retention')
    const id = organizationIdOf(scope.organization)
    const found = await find(db, scope, {
      runs: db
        .select()
        .from(auditPurges)
        .where(eq(auditPurges.organizationId, id))
        .orderBy(desc(auditPurges.lastSequence))
        .limit(RUNS),
      held: rowsWhere(db, auditRetention, eq(auditRetention.organizationId, id)),
    })
    const keeper = authorizeKeeper(context, found)
    if (!keeper.ok) return keeper
    const { runs, held } = found.rows
    const { heldAt = null, heldReason = null } = held[0] ?? {}
    return ok({
      horizon: runs[0]?.lastSequence ?? 0,
      legalHold: heldAt && { reason: heldReason ?? '', since: heldAt.toISOString() },
      runs: runs.map(runView),
    })
  })
}

function runView(row: typeof auditPurges.$inferSelect): RecordedPurge {
  const { organizationId: _id, lifecycle: _lifecycle, seatLimit: _limit, startedAt, ...run } = row
  const events = run.lastSequence - run.firstSequence + 1
  return { ...run, events, startedAt: startedAt.toISOString() }
}
