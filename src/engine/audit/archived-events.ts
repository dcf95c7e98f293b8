/**
 * Events that retention has moved out of D1, as the readers of a trail see them.
 *
 * @module
 */
import { and, asc, desc, eq, gt, gte, lt, lte, sql, type SQL } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import { auditSegments } from '../../database/schema/log-tables.ts'
import type { AuditEvent } from './event.ts'
import type { ReadFilters } from './filters.ts'
import { horizonOf } from './trail-extent.ts'

/** A stored segment: the events of a trail from one sequence to another. */
export type Segment = Pick<
  typeof auditSegments.$inferSelect,
  'organizationId' | 'firstSequence' | 'lastSequence' | 'digest'
>

/** A request to an archive, like that for a page of a trail. */
export interface ArchivedRequest {
  readonly filters: ReadFilters
  readonly order: 'newest' | 'oldest'
  /** Reading continues behind this sequence; null: it begins at the end that the order says. */
  readonly after: number | null
  /** Reading stops when it has so many events. */
  readonly limit: number
}

/** A page of archived events. */
export interface ArchivedPage {
  readonly events: readonly AuditEvent[]
  /** The sequence that reading continues behind. */
  readonly end: number
  /** Whether there are more segments behind it. */
  readonly more: boolean
}

/** The archive of a configuration. */
export interface TrailArchive {
  /**
   * Reads the matching events of these segments, which {@link segmentsFor} has selected: at least one.
   *
   * @throws {StoreUnavailable} if a segment cannot be read, or is not the one that was stored.
   */
  read(segments: readonly Segment[], request: ArchivedRequest): Promise<ArchivedPage>
}

/** The context of a function that reads a trail to its beginning. */
export interface ArchiveContext {
  readonly retention: { readonly archive: TrailArchive | null } | null
}

/** Returns the archive of a configuration; null without one. */
export function archiveOf({ retention }: ArchiveContext): TrailArchive | null {
  return retention?.archive ?? null
}

/** How many segments one request reads at most. */
export const SEGMENTS_PER_READ = 4

/** Selects the segments that a page is read from, and one more if there are more. */
export function segmentsFor(
  db: Database,
  organizationId: SQL<string | null> | string,
  { filters, order, after }: Omit<ArchivedRequest, 'limit'>
) {
  const { firstSequence, lastSequence, digest, beganAt, endedAt } = auditSegments
  const newest = order === 'newest'
  const floor = Math.max(filters.after_sequence ?? 0, newest ? 0 : (after ?? 0))
  return db
    .select({ organizationId: auditSegments.organizationId, firstSequence, lastSequence, digest })
    .from(auditSegments)
    .where(
      and(
        eq(auditSegments.organizationId, organizationId),
        gt(lastSequence, floor),
        newest && after !== null ? lt(firstSequence, after) : undefined,
        // The last segment that may have an event before `after`: the ranges do not overlap.
        newest && after !== null ? lte(lastSequence, endBefore(organizationId, after)) : undefined,
        filters.from && gte(endedAt, filters.from),
        filters.to && lte(beganAt, filters.to)
      )
    )
    .orderBy(newest ? desc(lastSequence) : asc(lastSequence))
    .limit(SEGMENTS_PER_READ + 1)
}

function endBefore(organizationId: SQL<string | null> | string, after: number): SQL<number> {
  return sql<number>`coalesce((select min(last_sequence) from seatgate_audit_segments
    where organization_id = ${organizationId} and last_sequence >= ${after - 1}), ${after})`
}

/**
 * Builds the sequence up to which events are in neither D1 nor the archive. A trail that was purged before
 * it was archived begins behind its first segment.
 */
export function beginningBehind(organizationId: SQL<string | null> | string): SQL<number> {
  const horizon = horizonOf(organizationId)
  return sql<number>`coalesce((select begins_after from seatgate_audit_segments
    where organization_id = ${organizationId} and last_sequence = ${horizon}), ${horizon})`
}
