/**
 * Joining: domains, requests and exclusions.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core'
import { instant } from './column-types.ts'
import { organizations } from './organizations-tables.ts'

/**
 * Mail domains of organizations. A verified domain belongs to one organization only; `mode` decides how a
 * user with an address there joins.
 */
export const organizationDomains = /* @__PURE__ */ sqliteTable(
  'seatgate_organization_domains',
  () => ({
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    domain: text('domain').notNull(),
    mode: text('mode', { enum: ['off', 'request', 'auto'] })
      .notNull()
      .default('off'),
    challenge: text('challenge').notNull(),
    verifiedAt: instant('verified_at'),
    /** The time of the last lookup of the record. */
    checkedAt: instant('checked_at').notNull().default(new Date(0)),
    /** The time since when a verified domain's record has been missing. */
    recordMissingSince: instant('record_missing_since'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  }),
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    uniqueIndex('seatgate_organization_domains_own').on(table.organizationId, table.domain),
    index('seatgate_organization_domains_rotation')
      .on(table.checkedAt)
      .where(sql`verified_at IS NOT NULL`),
    uniqueIndex('seatgate_organization_domains_verified')
      .on(table.domain)
      .where(sql`verified_at IS NOT NULL`),
    check(
      'seatgate_organization_domains_domain',
      sql`domain = lower(domain) AND length(domain) BETWEEN 3 AND 253`
    ),
    check('seatgate_organization_domains_mode', sql`mode IN ('off', 'request', 'auto')`),
    check('seatgate_organization_domains_challenge', sql`length(challenge) > 0`),
  ]
)

/**
 * Requests to join. `open` requests need an approval, `waiting` ones need a seat: they are the waitlist
 * of an organization, ordered by `place`, which is never reused.
 */
export const joinRequests = /* @__PURE__ */ sqliteTable(
  'seatgate_join_requests',
  () => ({
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    userId: text('user_id').notNull(),
    role: text('role').notNull(),
    path: text('path', { enum: ['domain', 'request'] }).notNull(),
    state: text('state', {
      enum: ['open', 'waiting', 'joined', 'declined', 'withdrawn', 'closed'],
    }).notNull(),
    place: integer('place'),
    triedAt: instant('tried_at').notNull(),
    decidedById: text('decided_by_id'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  }),
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    uniqueIndex('seatgate_join_requests_pending')
      .on(table.organizationId, table.userId)
      .where(sql`state IN ('open', 'waiting')`),
    uniqueIndex('seatgate_join_requests_place').on(table.organizationId, table.place),
    index('seatgate_join_requests_line')
      .on(table.organizationId, table.place)
      .where(sql`state = 'waiting'`),
    index('seatgate_join_requests_tried')
      .on(table.triedAt)
      .where(sql`state = 'waiting'`),
    index('seatgate_join_requests_newest')
      .on(table.organizationId, table.createdAt, table.id)
      .where(sql`state IN ('open', 'waiting')`),
    index('seatgate_join_requests_user').on(table.userId, table.createdAt, table.id),
    index('seatgate_join_requests_settled')
      .on(table.updatedAt)
      .where(sql`state IN ('joined', 'declined', 'withdrawn', 'closed')`),
    check('seatgate_join_requests_user_id', sql`length(user_id) > 0`),
    check('seatgate_join_requests_role', sql`length(role) > 0`),
    check('seatgate_join_requests_path', sql`path IN ('domain', 'request')`),
    check(
      'seatgate_join_requests_state',
      sql`state IN ('open', 'waiting', 'joined', 'declined', 'withdrawn', 'closed')`
    ),
    check('seatgate_join_requests_place', sql`place > 0`),
    check('seatgate_join_requests_state_2', sql`state <> 'waiting' OR place IS NOT NULL`),
  ]
)

/**
 * Users who were removed or suspended by another user, and may not return by the domain of their address:
 * by id, and by a salted digest of the address. The row is deleted when they are let in again.
 */
export const exclusions = /* @__PURE__ */ sqliteTable(
  'seatgate_exclusions',
  () => ({
    id: text('id').notNull(),
    organizationId: text('organization_id').notNull(),
    userId: text('user_id').notNull(),
    addressLength: integer('address_length'),
    salt: text('salt'),
    digest: text('digest'),
    createdAt: instant('created_at').notNull(),
  }),
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    primaryKey({ columns: [table.organizationId, table.userId, table.id] }),
    index('seatgate_exclusions_address')
      .on(table.organizationId, table.addressLength)
      .where(sql`address_length IS NOT NULL`),
    index('seatgate_exclusions_everywhere').on(table.userId),
    check('seatgate_exclusions_salt', sql`length(salt) = 64`),
    check('seatgate_exclusions_digest', sql`length(digest) = 64`),
    check(
      'seatgate_exclusions_salt_2',
      sql`(salt IS NULL) = (digest IS NULL) AND (salt IS NULL) = (address_length IS NULL)`
    ),
  ]
)

export type DomainRow = typeof organizationDomains.$inferSelect

export type JoinRequestRow = typeof joinRequests.$inferSelect

export type ExclusionRow = typeof exclusions.$inferSelect
