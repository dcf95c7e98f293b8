/**
 * Moves the beginning of a trail to a bucket before retention deletes it, and reads it from there.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { ndjsonLine } from '../../base/shown-text.ts'
import { sha256 } from '../../proof/encoding.ts'
import { batch } from '../../database/batch.ts'
import { StoreUnavailable, type Database, type Statement } from '../../database/database.ts'
import { auditSegments } from '../../database/schema/log-tables.ts'
import {
  SEGMENTS_PER_READ,
  type ArchivedPage,
  type ArchivedRequest,
  type Segment,
  type TrailArchive,
} from '../../engine/audit/archived-events.ts'
import type { AuditEvent } from '../../engine/audit/event.ts'
import { eventView, type ReadEventRow } from '../../engine/audit/event-view.ts'
import { matchesFilters } from '../../engine/audit/filters.ts'
import { eventsIn } from '../../engine/audit/read-events.ts'

/** The bucket of an archive: the methods of `R2Bucket` that it calls. */
export interface ArchiveBucket {
  get(key: string): Promise<{ text(): Promise<string> } | null>
  put(
    key: string,
    text: string,
    options: { readonly onlyIf: { readonly etagDoesNotMatch: string } }
  ): Promise<unknown>
}

/** A segment that was written to the bucket and read back. */
export interface StoredSegment extends Segment {
  readonly bytes: number
  readonly beganAt: Date
  readonly endedAt: Date
}

/** The archive that retention moves events to. */
export interface Archive extends TrailArchive {
  /**
   * Writes the events of a trail between two sequences to the bucket, and reads them back.
   *
   * @throws {StoreUnavailable} if the bucket or D1 does not answer, or the bucket returns other bytes.
   */
  store(
    db: Database,
    range: Pick<Segment, 'organizationId' | 'firstSequence' | 'lastSequence'>
  ): Promise<StoredSegment>
}

/** Creates the archive of a bucket. */
export function archiveIn(bucket: ArchiveBucket): Archive {
  return {
    store: (db, range) => storeSegment(bucket, db, range),
    read: (segments, request) => readSegments(bucket, segments, request),
  }
}

/**
 * Returns the key of a segment. It has the digest of the content, so that no key is ever written with
 * another content.
 */
function segmentKey({ organizationId, firstSequence, lastSequence, digest }: Segment) {
  const [first, last] = [firstSequence, lastSequence].map((each) => `${each}`.padStart(12, '0'))
  return `${organizationId}/${first}-${last}-${digest}.ndjson`
}

// Personal data are not archived, so that an erasure has no segment to rewrite. No hash depends on them.
async function storeSegment(
  bucket: ArchiveBucket,
  db: Database,
  range: Pick<Segment, 'organizationId' | 'firstSequence' | 'lastSequence'>
): Promise<StoredSegment> {
  const { organizationId, firstSequence, lastSequence } = range
  const limit = lastSequence - firstSequence + 1
  const page = { order: 'oldest', after: firstSequence - 1, through: lastSequence, limit } as const
  const { rows } = await batch(db, {
    rows: eventsIn({ db }, { organizationId }, {}, { ...page, sealed: true }),
  })
  const events = (rows as readonly ReadEventRow[]).map((row) => ({
    ...eventView(row),
    personal: null,
  }))
  const text = events.map(ndjsonLine).join('')
  const segment = { ...range, digest: await sha256(text) }
  await write(bucket, segment, text)
  const times = rows.map(({ insertedAt }) => insertedAt.getTime())
  return {
    ...segment,
    bytes: new TextEncoder().encode(text).length,
    beganAt: new Date(Math.min(...times)),
    endedAt: new Date(Math.max(...times)),
  }
}

async function write(bucket: ArchiveBucket, segment: Segment, text: string): Promise<void> {
  try {
    await bucket.put(segmentKey(segment), text, { onlyIf: { etagDoesNotMatch: '*' } })
  } catch (error) {
    throw new StoreUnavailable(error)
  }
  await textOf(bucket, segment)
}

async function textOf(bucket: ArchiveBucket, segment: Segment): Promise<string> {
  const key = segmentKey(segment)
  let text: string | undefined
  try {
    text = await (await bucket.get(key))?.text()
  } catch (error) {
    throw new StoreUnavailable(error)
  }
  if (text === undefined) throw new StoreUnavailable(new Error(`The archive has no ${key}.`))
  if ((await sha256(text)) !== segment.digest) {
    throw new StoreUnavailable(new Error(`The archive has another content for ${key}.`))
  }
  return text
}

async function readSegments(
  bucket: ArchiveBucket,
  segments: readonly Segment[],
  { filters, order, after, limit }: ArchivedRequest
): Promise<ArchivedPage> {
  const newest = order === 'newest'
  const isBehind = ({ sequence }: AuditEvent) =>
    after === null || (newest ? sequence < after : sequence > after)
  const events: AuditEvent[] = []
  let end = after ?? 0
  let read = 0
  for (const segment of segments.slice(0, SEGMENTS_PER_READ)) {
    if (events.length >= limit) break
    const lines = (await textOf(bucket, segment)).trimEnd().split('\n')
    const found = lines.map((line) => JSON.parse(line) as AuditEvent)
    const page = newest ? found.toReversed() : found
    events.push(...page.filter((event) => isBehind(event) && matchesFilters(filters, event)))
    end = newest ? segment.firstSequence : segment.lastSequence
    read += 1
  }
  return { events: events.slice(0, limit), end, more: read < segments.length }
}

/** Builds the statement that records a segment, after the record of the run that moves it. */
export function recordSegment(db: Database, segment: StoredSegment, now: Date): Statement {
  const { organizationId, firstSequence } = segment
  return db.insert(auditSegments).values({
    ...segment,
    beginsAfter: sql`coalesce((select begins_after from seatgate_audit_segments
      where organization_id = ${organizationId} and last_sequence = ${firstSequence - 1}),
      ${firstSequence - 1})`,
    archivedAt: now,
  })
}
