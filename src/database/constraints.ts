/**
 * Which constraint an error of D1 names, and whose it is.
 *
 * @module
 */
import { getTableName, is } from 'drizzle-orm'
import { SQLiteTable, type SQLiteColumn } from 'drizzle-orm/sqlite-core'
import * as schema from './schema.ts'

/** What every trigger of the library raises that protects the audit trail. */
const OWN_MESSAGE = 'audit_immutable'

/** Each unique key of the library's tables; a test compares the list with the migrations. */
const OWN_KEYS: readonly (readonly SQLiteColumn[])[] = [
  [schema.organizations.id],
  [schema.organizations.slug],
  [schema.memberships.id],
  [schema.memberships.organizationId, schema.memberships.userId],
  [schema.memberships.seatId],
  [schema.slugAliases.oldSlug],
  [schema.memberCounts.organizationId],
  [schema.entitlements.organizationId],
  [schema.seatLedgers.organizationId],
  [schema.seatFences.seatId],
  [schema.auditEvents.organizationId, schema.auditEvents.sequence],
  [schema.auditEvents.id],
  [schema.auditEvents.organizationId, schema.auditEvents.idempotencyKey],
  [schema.auditPersonal.organizationId, schema.auditPersonal.digest],
  [schema.auditNodes.organizationId, schema.auditNodes.level, schema.auditNodes.position],
  [schema.auditCheckpoints.organizationId, schema.auditCheckpoints.size],
  [schema.auditPublished.organizationId],
  [schema.auditPurges.organizationId, schema.auditPurges.lastSequence],
  [schema.auditCarriedSeats.organizationId, schema.auditCarriedSeats.seatId],
  [schema.auditRetention.organizationId],
  [schema.auditOutbox.organizationId],
  [schema.sinkCursors.organizationId, schema.sinkCursors.sinkId],
  [
    schema.sinkDeadLetters.organizationId,
    schema.sinkDeadLetters.sinkId,
    schema.sinkDeadLetters.sequence,
  ],
  [schema.sinkAttempts.id],
  [schema.invitations.id],
  [schema.invitations.tokenHash],
  [schema.invitations.organizationId, schema.invitations.email],
  [schema.invitations.seatId],
  [schema.organizationDomains.id],
  [schema.organizationDomains.organizationId, schema.organizationDomains.domain],
  [schema.organizationDomains.domain],
  [schema.joinRequests.id],
  [schema.joinRequests.organizationId, schema.joinRequests.userId],
  [schema.joinRequests.organizationId, schema.joinRequests.place],
  [schema.rotations.name],
  [schema.rateLimits.key],
  [schema.intents.id],
  [schema.operations.actorId, schema.operations.id],
  [schema.sessions.tokenHash],
]

/** The names of the library's tables. */
export const OWN_TABLES: ReadonlySet<string> = new Set(
  Object.values<unknown>(schema).flatMap((table) =>
    is(table, SQLiteTable) ? [getTableName(table)] : []
  )
)

/** The unique keys of the library's tables, as SQLite names them. */
export const OWN_UNIQUE: ReadonlySet<string> = new Set(
  OWN_KEYS.map((columns) =>
    columns.map(({ table, name }) => `${getTableName(table)}.${name}`).join(', ')
  )
)

/**
 * The constraint that an error of D1 names, or the message that a trigger raised; null for any other
 * error. Only the beginning and the end of a message are matched: what is in between may be anything.
 */
export function constraintIn(message: string): string | null {
  const broken =
    /^(?:D1_ERROR: )?([^]+?): SQLITE_(?:CONSTRAINT|MISMATCH)\w*(?: \(extended: \w+\))?$/.exec(
      message
    ) ??
    /^(?:D1_ERROR: )?((?:UNIQUE|CHECK|NOT NULL|FOREIGN KEY) constraint failed[^]*|guard:[a-z_:\d]+)$/.exec(
      message
    )
  return broken?.[1] ?? null
}

/** Whose constraint it is: `key` is a unique key of the library's own, which a racing write took. */
export function ownerOf(constraint: string): 'key' | 'library' | 'host' {
  const unique = /^UNIQUE constraint failed: (.+)$/.exec(constraint)?.[1]
  if (unique !== undefined) return OWN_UNIQUE.has(unique) ? 'key' : 'host'
  if (constraint === OWN_MESSAGE) return 'library'
  const table = /^(?:NOT NULL constraint failed: |cannot store .* column )(\w+)\./.exec(constraint)
  return OWN_TABLES.has(table?.[1] ?? '') ? 'library' : 'host'
}
