/**
 * The protocol between the log, which holds the key, and an object that seals for it.
 *
 * @module
 */
import type { Awaiting } from './consumers.ts'
import { sql } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { auditNodes } from '../../database/schema/log-tables.ts'
import { fromBase64 } from '../../proof/encoding.ts'
import { subtreesOf, type Hash, type Span } from '../../proof/merkle.ts'

/** A request to seal; plain data, so that it can be sent to a Durable Object. */
export interface SealRequest extends Awaiting {
  readonly organizationId: string
  /** The time, in ms since 1970. */
  readonly at: number
}

/** An unsigned checkpoint. */
export interface UnsignedCheckpoint {
  readonly organizationId: string
  readonly size: number
  /** The hash of the whole tree, 32 bytes. */
  readonly root: Uint8Array
}

/** Signs a checkpoint and returns the signed note. The key stays in the caller. */
export type Sign = (checkpoint: UnsignedCheckpoint) => Promise<string>

/** A signed checkpoint, sent to a Worker that can publish it. */
export interface PublishedCheckpoint {
  readonly organizationId: string
  readonly size: number
  /** The signed note. */
  readonly note: string
}

/** The result of sealing. */
export interface Sealed {
  /** The number of events in the log. */
  readonly size: number
  /** The checkpoints to publish: the new ones, after the last unpublished one. */
  readonly checkpoints: readonly PublishedCheckpoint[]
  /** Whether there may be more to seal. */
  readonly more: boolean
}

/** The namespace of objects that seal, one per organization, named by the organization's id. */
export interface SealerNamespace {
  getByName(organizationId: string): {
    /** Seals an organization's audit events. It is safe to repeat. */
    seal(request: SealRequest, sign: Sign): Promise<Sealed>
  }
}

/**
 * Reads the hashes of the complete subtrees of some spans of an organization's log.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function subtreeHashes(
  { db }: DatabaseContext,
  organizationId: string,
  spans: readonly Span[]
): Promise<Hash[][]> {
  const wanted = spans.flatMap(subtreesOf).map(({ level, position }) => [level, position])
  const { nodes } = await batch(db, {
    nodes: db
      .select({ level: auditNodes.level, position: auditNodes.position, hash: auditNodes.hash })
      .from(auditNodes)
      .where(
        sql`${auditNodes.organizationId} = ${organizationId} and (level, position) in
          (select value ->> 0, value ->> 1 from json_each(${JSON.stringify(wanted)}))`
      ),
  })
  const hashes = new Map(
    nodes.map(({ level, position, hash }) => [`${level}/${position}`, fromBase64(hash)])
  )
  return spans.map((span) =>
    subtreesOf(span).map(({ level, position }) => {
      const hash = hashes.get(`${level}/${position}`)
      if (!hash) throw new Error('The log lacks a hash.')
      return hash
    })
  )
}
