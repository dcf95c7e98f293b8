/**
 * Keys, indexes, checks and foreign keys of the tables of organizations, members, seats and changes.
 * Statements do not use them, so they stand apart from the columns.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { check, foreignKey, index, primaryKey, uniqueIndex } from 'drizzle-orm/sqlite-core'
import * as tables from '../tables.ts'
import { constrained } from './constrained.ts'
import { GUARD_CODES } from './changes-tables.ts'

export const organizations = /* @__PURE__ */ constrained(tables.organizations, (table) => [
  uniqueIndex('seatgate_organizations_live_slug')
    .on(table.slug)
    .where(sql`deleted_at IS NULL`),
  check('seatgate_organizations_name', sql`length(name) BETWEEN 1 AND 255`),
  check('seatgate_organizations_slug', sql`slug = lower(slug) AND length(slug) > 0`),
  check('seatgate_organizations_enforce_mfa_for_members', sql`enforce_mfa_for_members IN (0, 1)`),
  check('seatgate_organizations_personal', sql`personal IN (0, 1)`),
  check('seatgate_organizations_own_roles', sql`json_valid(own_roles)`),
])

export const memberships = /* @__PURE__ */ constrained(tables.memberships, (table) => [
  foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
  primaryKey({ columns: [table.organizationId, table.userId] }),
  uniqueIndex('seatgate_memberships_seat').on(table.seatId),
  index('seatgate_memberships_organization_newest').on(
    table.organizationId,
    table.createdAt,
    table.id
  ),
  index('seatgate_memberships_organization_role')
    .on(table.organizationId, table.role, table.status)
    .where(sql`role <> 'member'`),
  index('seatgate_memberships_user_newest').on(table.userId, table.createdAt, table.id),
  index('seatgate_memberships_over_limit')
    .on(table.organizationId, table.createdAt, table.id)
    .where(sql`suspended_by = 'over_limit'`),
  check('seatgate_memberships_user_id', sql`length(user_id) > 0`),
  check('seatgate_memberships_role', sql`length(role) > 0`),
  check('seatgate_memberships_status', sql`status IN ('active', 'suspended')`),
  check('seatgate_memberships_suspended_by', sql`suspended_by IN ('admin', 'over_limit')`),
  check('seatgate_memberships_group_roles', sql`json_valid(group_roles)`),
  check('seatgate_memberships_status_2', sql`status = 'active' OR seat_id IS NULL`),
])

export const slugAliases = /* @__PURE__ */ constrained(tables.slugAliases, (table) => [
  foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
  index('seatgate_organization_slug_aliases_expiry').on(table.expiresAt),
  check(
    'seatgate_organization_slug_aliases_old_slug',
    sql`old_slug = lower(old_slug) AND length(old_slug) > 0`
  ),
])

export const memberCounts = /* @__PURE__ */ constrained(tables.memberCounts, () => [
  check('seatgate_member_counts_active', sql`active >= 0`),
  check('seatgate_member_counts_suspended', sql`suspended >= 0`),
  check('seatgate_member_counts_seats', sql`seats >= 0`),
])

export const entitlements = /* @__PURE__ */ constrained(tables.entitlements, (table) => [
  foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
  check('seatgate_entitlements_version', sql`version > 0`),
  check('seatgate_entitlements_limit_kind', sql`limit_kind IN ('finite', 'unlimited', 'unknown')`),
  check('seatgate_entitlements_limit_seats', sql`limit_seats >= 0`),
  check('seatgate_entitlements_type_limits', sql`json_valid(type_limits)`),
  check(
    'seatgate_entitlements_limit_kind_2',
    sql`(limit_kind = 'finite') = (limit_seats IS NOT NULL)`
  ),
])

export const seatChecks = /* @__PURE__ */ constrained(tables.seatChecks, () => [
  check('seatgate_seat_checks_sequence', sql`sequence >= 0`),
])

export const seatTypeCounts = /* @__PURE__ */ constrained(tables.seatTypeCounts, (table) => [
  primaryKey({ columns: [table.organizationId, table.seatType] }),
  check('seatgate_seat_type_counts_seat_type', sql`length(seat_type) > 0`),
  check('seatgate_seat_type_counts_seats', sql`seats >= 0`),
])

export const seatLedgers = /* @__PURE__ */ constrained(tables.seatLedgers, () => [
  check('seatgate_seat_ledgers_epoch', sql`epoch > 0`),
])

export const seatFences = /* @__PURE__ */ constrained(tables.seatFences, (table) => [
  index('seatgate_seat_fences_fenced').on(table.fencedAt, table.seatId),
])

export const invitations = /* @__PURE__ */ constrained(tables.invitations, (table) => [
  foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
  uniqueIndex('seatgate_invitations_address')
    .on(table.email, table.organizationId)
    .where(sql`accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL`),
  uniqueIndex('seatgate_invitations_seat')
    .on(table.seatId)
    .where(sql`accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL`),
  index('seatgate_invitations_pending')
    .on(table.organizationId, table.expiresAt)
    .where(sql`accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL`),
  index('seatgate_invitations_newest')
    .on(table.organizationId, table.createdAt, table.id)
    .where(sql`accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL`),
  check(
    'seatgate_invitations_email',
    sql`email = lower(email) AND length(email) BETWEEN 3 AND 160`
  ),
  check('seatgate_invitations_role', sql`length(role) > 0`),
  check('seatgate_invitations_token_hash', sql`length(token_hash) = 64`),
  check('seatgate_invitations_token_version', sql`token_version > 0`),
  check(
    'seatgate_invitations_revoke_reason',
    sql`revoke_reason IN ('revoked', 'superseded', 'organization_deleted')`
  ),
  check(
    'seatgate_invitations_mail_status',
    sql`mail_status IN ('queued', 'sent', 'failed', 'skipped')`
  ),
  check(
    'seatgate_invitations_accepted_at',
    sql`(accepted_at IS NOT NULL) + (revoked_at IS NOT NULL) + (declined_at IS NOT NULL) <= 1`
  ),
  check(
    'seatgate_invitations_accepted_at_2',
    sql`(accepted_at IS NULL) = (accepted_by_id IS NULL)`
  ),
  check('seatgate_invitations_revoked_at', sql`(revoked_at IS NULL) = (revoke_reason IS NULL)`),
])

export const organizationDomains = /* @__PURE__ */ constrained(
  tables.organizationDomains,
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

export const joinRequests = /* @__PURE__ */ constrained(tables.joinRequests, (table) => [
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
])

export const exclusions = /* @__PURE__ */ constrained(tables.exclusions, (table) => [
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
])

export const inviteLinks = /* @__PURE__ */ constrained(tables.inviteLinks, (table) => [
  foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
  uniqueIndex('seatgate_invite_links_token').on(table.tokenHash),
  index('seatgate_invite_links_newest')
    .on(table.organizationId, table.createdAt, table.id)
    .where(sql`revoked_at IS NULL`),
  index('seatgate_invite_links_creator')
    .on(table.organizationId, table.createdById)
    .where(sql`revoked_at IS NULL`),
  index('seatgate_invite_links_expiry').on(table.expiresAt),
  check('seatgate_invite_links_token_hash', sql`length(token_hash) = 64`),
  check('seatgate_invite_links_role', sql`length(role) > 0`),
  check('seatgate_invite_links_domain', sql`domain = lower(domain)`),
  check('seatgate_invite_links_max_uses', sql`max_uses > 0`),
  check('seatgate_invite_links_uses_left', sql`uses_left BETWEEN 0 AND max_uses`),
])

export const sessions = /* @__PURE__ */ constrained(tables.sessions, (table) => [
  index('seatgate_sessions_active_organization').on(table.activeOrganizationId, table.userId),
  index('seatgate_sessions_user').on(table.userId),
  check('seatgate_sessions_token_hash', sql`length(token_hash) = 64`),
])

export const stepUps = /* @__PURE__ */ constrained(tables.stepUps, (table) => [
  index('seatgate_step_ups_fresh_until').on(table.freshUntil),
  check('seatgate_step_ups_session_id', sql`length(session_id) > 0`),
])

export const guards = /* @__PURE__ */ constrained(tables.guards, () => [
  ...GUARD_CODES.map((code) => check(`guard:${code}`, sql.raw(`code <> '${code}'`))),
  check('seatgate_guards_empty', sql`code IS NULL`),
])

export const operations = /* @__PURE__ */ constrained(tables.operations, (table) => [
  primaryKey({ columns: [table.actorId, table.id] }),
  check('seatgate_operations_id', sql`length(id) BETWEEN 1 AND 255`),
  check('seatgate_operations_outcome', sql`json_valid(outcome)`),
])

export const jobs = /* @__PURE__ */ constrained(tables.jobs, (table) => [
  index('seatgate_jobs_due').on(table.dueAt),
  index('seatgate_jobs_failing')
    .on(table.kind, table.createdAt)
    .where(sql`last_error IS NOT NULL AND last_error <> 'Held'`),
  check('seatgate_jobs_kind', sql`length(kind) > 0`),
  check('seatgate_jobs_payload', sql`json_valid(payload)`),
  check('seatgate_jobs_attempts', sql`attempts >= 0`),
])

export const rateLimits = /* @__PURE__ */ constrained(tables.rateLimits, () => [
  check('seatgate_rate_limits_key', sql`length(key) > 0`),
  check('seatgate_rate_limits_count', sql`count > 0`),
])

export const rotations = tables.rotations

export const schemaVersion = /* @__PURE__ */ constrained(tables.schemaVersion, () => [
  check('seatgate_schema_id', sql`id = 1`),
  check('seatgate_schema_version', sql`version > 0`),
  check('seatgate_schema_compatible_from', sql`compatible_from BETWEEN 1 AND version`),
])
