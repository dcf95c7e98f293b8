import { sql } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { auditNodes } from '../../database/schema.ts'
import { fromBase64 } from '../../proof/base64.ts'
import { subtreesOf, type Hash, type Span } from '../../proof/merkle.ts'

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
