/**
 * Which constraint an error of D1 names, and whose it is.
 *
 * @module
 */
import { getTableName, is } from 'drizzle-orm'
import { SQLiteTable, type SQLiteColumn } from 'drizzle-orm/sqlite-core'
import * as schema from './schema.ts'
import {
  auditCarriedSeats,
  auditCheckpoints,
  auditEvents,
  auditNodes,
  auditOutbox,
  auditPersonal,
  auditPublished,
  auditPurges,
  auditRetention,
  entitlements,
  intents,
  exclusions,
  invitations,
  joinRequests,
  memberCounts,
  memberships,
  operations,
  organizationDomains,
  organizations,
  rateLimits,
  rotations,
  schemaVersion,
  seatFences,
  seatLedgers,
  sessions,
  sinkAttempts,
  sinkCursors,
  sinkDeadLetters,
  slugAliases,
} from './schema.ts'

/** What every trigger of the library raises that protects the audit trail. */
const OWN_MESSAGE = 'audit_immutable'

/** Each unique key of the library's tables; a test compares the list with the migrations. */
const OWN_KEYS: readonly (readonly SQLiteColumn[])[] = [
  [organizations.id],
  [organizations.slug],
  [memberships.id],
  [memberships.organizationId, memberships.userId],
  [memberships.seatId],
  [slugAliases.oldSlug],
  [memberCounts.organizationId],
  [entitlements.organizationId],
  [seatLedgers.organizationId],
  [seatFences.seatId],
  [auditEvents.organizationId, auditEvents.sequence],
  [auditEvents.id],
  [auditEvents.organizationId, auditEvents.idempotencyKey],
  [auditPersonal.organizationId, auditPersonal.digest],
  [auditNodes.organizationId, auditNodes.level, auditNodes.position],
  [auditCheckpoints.organizationId, auditCheckpoints.size],
  [auditPublished.organizationId],
  [auditPurges.organizationId, auditPurges.lastSequence],
  [auditCarriedSeats.organizationId, auditCarriedSeats.seatId],
  [auditRetention.organizationId],
  [auditOutbox.organizationId],
  [sinkCursors.organizationId, sinkCursors.sinkId],
  [sinkDeadLetters.organizationId, sinkDeadLetters.sinkId, sinkDeadLetters.sequence],
  [sinkAttempts.id],
  [exclusions.id],
  [invitations.id],
  [invitations.tokenHash],
  [invitations.organizationId, invitations.email],
  [invitations.seatId],
  [organizationDomains.id],
  [organizationDomains.organizationId, organizationDomains.domain],
  [organizationDomains.domain],
  [joinRequests.id],
  [joinRequests.organizationId, joinRequests.userId],
  [joinRequests.organizationId, joinRequests.place],
  [rotations.name],
  [schemaVersion.id],
  [rateLimits.key],
  [intents.id],
  [operations.actorId, operations.id],
  [sessions.tokenHash],
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
