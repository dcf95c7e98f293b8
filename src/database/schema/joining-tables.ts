/**
 * Joining: domains, requests and exclusions.
 *
 * @module
 */
import { integer, text } from 'drizzle-orm/sqlite-core'
import { instant, ownTable } from './own-table.ts'

/**
 * Mail domains of organizations. A verified domain belongs to one organization only; `mode` decides how a
 * user with an address there joins.
 */
export const organizationDomains = /* @__PURE__ */ ownTable(
  'seatgate_organization_domains',
  ['id', 'organization_id domain', 'domain'],
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
  })
)

/**
 * Requests to join. `open` requests need an approval, `waiting` ones need a seat: they are the waitlist
 * of an organization, ordered by `place`, which is never reused.
 */
export const joinRequests = /* @__PURE__ */ ownTable(
  'seatgate_join_requests',
  ['id', 'organization_id user_id', 'organization_id place'],
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
  })
)

/**
 * Users who were removed or suspended by another user, and may not return by the domain of their address:
 * by id, and by a salted digest of the address. The row is deleted when they are let in again.
 */
export const exclusions = /* @__PURE__ */ ownTable(
  'seatgate_exclusions',
  ['organization_id user_id id'],
  () => ({
    id: text('id').notNull(),
    organizationId: text('organization_id').notNull(),
    userId: text('user_id').notNull(),
    addressLength: integer('address_length'),
    salt: text('salt'),
    digest: text('digest'),
    createdAt: instant('created_at').notNull(),
  })
)

/**
 * Links to join an organization, for a number of uses. The token is stored as a hash. A link is open until
 * it is revoked, has expired or has no use left.
 */
export const inviteLinks = /* @__PURE__ */ ownTable(
  'seatgate_invite_links',
  ['id', 'token_hash'],
  () => ({
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    tokenHash: text('token_hash').notNull(),
    role: text('role').notNull(),
    domain: text('domain'),
    maxUses: integer('max_uses').notNull(),
    usesLeft: integer('uses_left').notNull(),
    expiresAt: instant('expires_at').notNull(),
    createdById: text('created_by_id'),
    revokedAt: instant('revoked_at'),
    revokedById: text('revoked_by_id'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  })
)

export type InviteLinkRow = typeof inviteLinks.$inferSelect

export type DomainRow = typeof organizationDomains.$inferSelect

export type JoinRequestRow = typeof joinRequests.$inferSelect

export type ExclusionRow = typeof exclusions.$inferSelect
