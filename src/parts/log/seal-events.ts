/**
 * Sealing: appends the hashes of events to their organization's log, a page per batch with a checkpoint.
 * Concurrent sealers are safe: the unique keys of the log let one of them commit.
 *
 * @module
 */
import { and, asc, desc, eq, gt, sql } from 'drizzle-orm'
import { batch, type Queries } from '../../database/batch.ts'
import { StoreUnavailable, type Database } from '../../database/database.ts'
import { auditCheckpoints, auditNodes } from '../../database/schema/log-tables.ts'
import { auditEvents } from '../../database/schema/audit-tables.ts'
import { base64, fromBase64 } from '../../proof/encoding.ts'
import { GrowingTree, eventLeaf, subtreesOf, type HashedNode } from '../../proof/merkle.ts'
import { eventColumns, eventView, type ReadEventRow } from '../../engine/audit/event-view.ts'
import { clearOutbox, publishedSize, sealedSize } from '../../engine/audit/consumers.ts'
import type { Sealed, SealRequest, Sign } from '../../engine/audit/sealer.ts'

const EVENTS_PER_PAGE = 500
const PAGES_AT_ONCE = 20

/**
 * Seals new events of an organization: a page of events per round trip, and at most `pages` pages.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function sealEvents(
  db: Database,
  request: SealRequest,
  sign: Sign,
  pagesAtOnce = PAGES_AT_ONCE
): Promise<Sealed> {
  const { organizationId, at } = request
  const begun = await batch(db, {
    size: db
      .select({ size: sql<number>`coalesce(max(${auditCheckpoints.size}), 0)`.as('size') })
      .from(auditCheckpoints)
      .where(eq(auditCheckpoints.organizationId, organizationId)),
    events: eventsAfter(db, organizationId, sealedSize(organizationId)),
    edge: rightEdge(db, organizationId),
    unpublished: lastUnpublished(db, request),
    // A consumer may no longer be configured; then only this statement clears the outbox.
    cleared: clearOutbox(db, organizationId, request),
  })
  const tree = treeOf(begun.size[0]?.size ?? 0, begun.edge)
  const checkpoints = begun.unpublished.map((row) => ({ organizationId, ...row }))
  let events: readonly ReadEventRow[] = begun.events
  for (let pages = 0; events.length > 0 && pages < pagesAtOnce; pages++) {
    const added = events.flatMap((event) => tree.append(eventLeaf(eventView(event))))
    const { size, root } = tree
    const note = await sign({ organizationId, size, root })
    const next = await append(db, {
      nodes: insertNodes(db, organizationId, added),
      checkpoint: db
        .insert(auditCheckpoints)
        .values({ organizationId, size, note, createdAt: new Date(at) }),
      cleared: clearOutbox(db, organizationId, request),
      events: eventsAfter(db, organizationId, sql`${size}`),
    })
    // Another sealer was faster, and has sealed these events.
    if (next === null) return { size, checkpoints, more: false }
    checkpoints.push({ organizationId, size, note })
    events = next
  }
  return { size: tree.size, checkpoints, more: events.length > 0 }
}

function eventsAfter(db: Database, organizationId: string, size: ReturnType<typeof sealedSize>) {
  return db
    .select(eventColumns)
    .from(auditEvents)
    .where(
      and(eq(auditEvents.organizationId, organizationId), gt(auditEvents.sequence, sql`${size}`))
    )
    .orderBy(asc(auditEvents.sequence))
    .limit(EVENTS_PER_PAGE)
}

// The latest one is enough: it covers every earlier one.
function lastUnpublished(db: Database, { organizationId, publishing }: SealRequest) {
  const { size, note } = auditCheckpoints
  return db
    .select({ size, note })
    .from(auditCheckpoints)
    .where(
      and(
        eq(auditCheckpoints.organizationId, organizationId),
        gt(size, publishedSize(organizationId))
      )
    )
    .orderBy(desc(size))
    .limit(publishing ? 1 : 0)
}

// The last complete subtree of each level. They include those that the tree's next leaves build on.
function rightEdge(db: Database, organizationId: string) {
  return db
    .select({ level: auditNodes.level, position: auditNodes.position, hash: auditNodes.hash })
    .from(auditNodes)
    .where(
      sql`${auditNodes.organizationId} = ${organizationId} and (level, position) in (
        with recursive edge(level, size) as (
          select 0, ${sealedSize(organizationId)}
          union all select level + 1, size / 2 from edge where size > 1
        )
        select level, size - 1 from edge where size % 2 = 1)`
    )
}

function treeOf(
  size: number,
  edge: readonly { readonly level: number; readonly position: number; readonly hash: string }[]
): GrowingTree {
  const hashes = subtreesOf({ start: 0, end: size }).flatMap((node) => {
    const row = edge.find(
      ({ level, position }) => level === node.level && position === node.position
    )
    const hash = fromBase64(row?.hash ?? '')
    return hash === null || hash.length === 0 ? [] : [hash]
  })
  return new GrowingTree(size, hashes)
}

function insertNodes(db: Database, organizationId: string, nodes: readonly HashedNode[]) {
  const rows = nodes.map(({ level, position, hash }) => [level, position, base64(hash)])
  return db.insert(auditNodes).select(
    sql`select ${organizationId}, value ->> 0, value ->> 1, value ->> 2
      from json_each(${JSON.stringify(rows)})`
  )
}

async function append(
  db: Database,
  statements: Queries & { readonly events: ReturnType<typeof eventsAfter> }
): Promise<readonly ReadEventRow[] | null> {
  try {
    return (await batch(db, statements)).events
  } catch (error) {
    if (error instanceof StoreUnavailable && isTaken(error.cause)) return null
    throw error
  }
}

function isTaken(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (/SQLITE_CONSTRAINT_(TRIGGER|PRIMARYKEY)|audit_immutable|UNIQUE/.test(at.message))
      return true
  }
  return false
}
