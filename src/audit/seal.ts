/**
 * Seals events: their hashes are appended to their organization's log, and a signed checkpoint says
 * what the log is then. Many may seal at once: the log's own keys let one of them through.
 *
 * @module
 */
import { and, asc, eq, gt, sql } from 'drizzle-orm'
import { batch, type Queries } from '../database/batch.ts'
import { StoreUnavailable } from '../database/database.ts'
import { auditCheckpoints, auditEvents, auditNodes } from '../database/schema.ts'
import { base64, fromBase64 } from '../proof/base64.ts'
import { originOf, signCheckpoint } from '../proof/checkpoint.ts'
import { eventLeaf } from '../proof/leaf.ts'
import { GrowingTree, subtreesOf, type HashedNode } from '../proof/merkle.ts'
import { noteSigner, type NoteSigner } from '../proof/note.ts'
import type { Seatgate } from '../seatgate.ts'
import { eventColumns, eventView, type ReadEventRow } from './event.ts'
import { clearOutbox } from './outbox.ts'

/** Where checkpoints are signed, and where they are kept outside. */
export interface AuditLog {
  readonly signer: () => Promise<NoteSigner>
  readonly publish: ((checkpoint: PublishedCheckpoint) => Promise<unknown>) | null
}

/** A signed checkpoint, on its way to where whoever writes to the database cannot. */
export interface PublishedCheckpoint {
  readonly organizationId: string
  readonly size: number
  /** The signed note. */
  readonly note: string
}

const EVENTS_PER_PAGE = 500

/** A log whose signing key is read when it is first needed. */
export function auditLog(privateKey: string, publish: AuditLog['publish']): AuditLog {
  let signer: Promise<NoteSigner> | null = null
  return { signer: () => (signer ??= noteSigner(privateKey)), publish }
}

/**
 * Seals what an organization has recorded since the last time: a page of events for each round trip,
 * each page with a checkpoint of its own. Answers the size of the log, or null where there is none to
 * be kept.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * await sealOrganization(seatgate, organizationId)
 * ```
 */
export async function sealOrganization(
  seatgate: Seatgate,
  organizationId: string
): Promise<number | null> {
  const { db, log, now } = seatgate
  if (log === null) return null
  const begun = await batch(db, {
    size: db
      .select({ size: sql<number>`coalesce(max(${auditCheckpoints.size}), 0)`.as('size') })
      .from(auditCheckpoints)
      .where(eq(auditCheckpoints.organizationId, organizationId)),
    events: eventsAfter(seatgate, organizationId, sealedSize(organizationId)),
    edge: rightEdge(seatgate, organizationId),
  })
  const tree = treeOf(begun.size[0]?.size ?? 0, begun.edge)
  const signer = await log.signer()
  let events: readonly ReadEventRow[] = begun.events
  while (events.length > 0) {
    const added = events.flatMap((event) => tree.append(eventLeaf(eventView(event))))
    const { size, root } = tree
    const origin = originOf(signer.name, organizationId)
    const note = await signCheckpoint(signer, { origin, size, root })
    const last = events.length < EVENTS_PER_PAGE
    const next = await append(seatgate, {
      nodes: insertNodes(seatgate, organizationId, added),
      checkpoint: db
        .insert(auditCheckpoints)
        .values({ organizationId, size, note, createdAt: now() }),
      ...(last && { cleared: clearOutbox(seatgate, organizationId) }),
      events: eventsAfter(seatgate, organizationId, sql`${size}`),
    })
    // Somebody else was faster: what there was to seal is sealed.
    if (next === null) return size
    await publish(seatgate, { organizationId, size, note })
    events = next
  }
  return tree.size
}

/** The number of an organization's events that are sealed, as a scalar subquery. */
export function sealedSize(organizationId: string) {
  return sql<number>`(select coalesce(max(size), 0) from audit_checkpoints
    where organization_id = ${organizationId})`
}

function eventsAfter(
  { db }: Seatgate,
  organizationId: string,
  size: ReturnType<typeof sealedSize>
) {
  return db
    .select(eventColumns)
    .from(auditEvents)
    .where(
      and(eq(auditEvents.organizationId, organizationId), gt(auditEvents.sequence, sql`${size}`))
    )
    .orderBy(asc(auditEvents.sequence))
    .limit(EVENTS_PER_PAGE)
}

// The last subtree of each level that is complete: those that the tree's next leaves build on are
// among them.
function rightEdge({ db }: Seatgate, organizationId: string) {
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

function insertNodes({ db }: Seatgate, organizationId: string, nodes: readonly HashedNode[]) {
  const rows = nodes.map(({ level, position, hash }) => [level, position, base64(hash)])
  return db.insert(auditNodes).select(
    sql`select ${organizationId}, value ->> 0, value ->> 1, value ->> 2
      from json_each(${JSON.stringify(rows)})`
  )
}

async function append(
  { db }: Seatgate,
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

// The checkpoint stands in D1 whatever becomes of its copy; the next one covers what it covered.
async function publish({ log, report }: Seatgate, checkpoint: PublishedCheckpoint): Promise<void> {
  try {
    await log?.publish?.(checkpoint)
  } catch (error) {
    const { organizationId } = checkpoint
    report({ event: 'checkpoint_not_published', organizationId, error })
  }
}
