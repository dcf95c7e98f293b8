/**
 * The tables of Seatgate in Drizzle, as the files in `migrations/` make them: columns, keys, indexes,
 * checks and foreign keys. Triggers are in the migrations alone: they count members, and keep audit
 * events as they are. The library serves no database without them, see `seatgate_schema`.
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
import { GUARD_CODES } from './guard-codes.ts'

const instant = (name: string) => integer(name, { mode: 'timestamp_ms' })
const flag = (name: string) => integer(name, { mode: 'boolean' })

/**
 * Organizations. A row with `deletedAt` is gone for every reader; its slug is free again.
 * `ownerUserId` is the founder and never changes; who owns it now, the memberships say.
 */
export const organizations = sqliteTable(
  'seatgate_organizations',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    slug: text('slug').notNull(),
    ownerUserId: text('owner_user_id').notNull(),
    personal: flag('personal').notNull().default(false),
    enforceMfaForMembers: flag('enforce_mfa_for_members').notNull().default(false),
    deletedAt: instant('deleted_at'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    uniqueIndex('seatgate_organizations_live_slug')
      .on(table.slug)
      .where(sql`deleted_at IS NULL`),
    check('seatgate_organizations_name', sql`length(name) BETWEEN 1 AND 255`),
    check('seatgate_organizations_slug', sql`slug = lower(slug) AND length(slug) > 0`),
    check('seatgate_organizations_enforce_mfa_for_members', sql`enforce_mfa_for_members IN (0, 1)`),
    check('seatgate_organizations_personal', sql`personal IN (0, 1)`),
  ]
)

/** Who belongs to which organization. `seatId` is null exactly while no seat is held. */
export const memberships = sqliteTable(
  'seatgate_memberships',
  {
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    userId: text('user_id').notNull(),
    role: text('role').notNull(),
    status: text('status', { enum: ['active', 'suspended'] })
      .notNull()
      .default('active'),
    suspendedBy: text('suspended_by', { enum: ['admin', 'over_limit'] }),
    seatId: text('seat_id'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    uniqueIndex('seatgate_memberships_organization_user').on(table.organizationId, table.userId),
    uniqueIndex('seatgate_memberships_seat').on(table.seatId),
    index('seatgate_memberships_organization_newest').on(
      table.organizationId,
      table.createdAt,
      table.id
    ),
    index('seatgate_memberships_organization_role').on(
      table.organizationId,
      table.role,
      table.status
    ),
    index('seatgate_memberships_user_newest').on(table.userId, table.createdAt, table.id),
    check('seatgate_memberships_user_id', sql`length(user_id) > 0`),
    check('seatgate_memberships_role', sql`length(role) > 0`),
    check('seatgate_memberships_status', sql`status IN ('active', 'suspended')`),
    check('seatgate_memberships_suspended_by', sql`suspended_by IN ('admin', 'over_limit')`),
    check('seatgate_memberships_status_2', sql`status = 'active' OR seat_id IS NULL`),
  ]
)

/** Slugs that were given up: until they expire they lead members to the present one. */
export const slugAliases = sqliteTable(
  'seatgate_organization_slug_aliases',
  {
    oldSlug: text('old_slug').primaryKey(),
    organizationId: text('organization_id').notNull(),
    expiresAt: instant('expires_at').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    index('seatgate_organization_slug_aliases_organization').on(table.organizationId),
    index('seatgate_organization_slug_aliases_expiry').on(table.expiresAt),
    check(
      'seatgate_organization_slug_aliases_old_slug',
      sql`old_slug = lower(old_slug) AND length(old_slug) > 0`
    ),
  ]
)

/** How many memberships of each kind an organization has. Triggers keep it; nothing else writes. */
export const memberCounts = sqliteTable(
  'seatgate_member_counts',
  {
    organizationId: text('organization_id').primaryKey(),
    active: integer('active').notNull(),
    suspended: integer('suspended').notNull(),
    seats: integer('seats').notNull(),
  },
  () => [
    check('seatgate_member_counts_active', sql`active >= 0`),
    check('seatgate_member_counts_suspended', sql`suspended >= 0`),
    check('seatgate_member_counts_seats', sql`seats >= 0`),
  ]
)

/** What an organization bought: one row each, replaced only by a higher version. */
export const entitlements = sqliteTable(
  'seatgate_entitlements',
  {
    organizationId: text('organization_id').primaryKey(),
    version: integer('version').notNull(),
    limitKind: text('limit_kind', { enum: ['finite', 'unlimited', 'unknown'] }).notNull(),
    limitSeats: integer('limit_seats'),
    reason: text('reason'),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    check('seatgate_entitlements_version', sql`version > 0`),
    check(
      'seatgate_entitlements_limit_kind',
      sql`limit_kind IN ('finite', 'unlimited', 'unknown')`
    ),
    check('seatgate_entitlements_limit_seats', sql`limit_seats >= 0`),
    check(
      'seatgate_entitlements_limit_kind_2',
      sql`(limit_kind = 'finite') = (limit_seats IS NOT NULL)`
    ),
  ]
)

/**
 * Which ledger is in force: a write admitted under an older epoch is refused, and so is one whose seat
 * was granted up to `fencedThrough`.
 */
export const seatLedgers = sqliteTable(
  'seatgate_seat_ledgers',
  {
    organizationId: text('organization_id').primaryKey(),
    epoch: integer('epoch').notNull(),
    fencedThrough: instant('fenced_through').notNull().default(new Date(0)),
  },
  () => [check('seatgate_seat_ledgers_epoch', sql`epoch > 0`)]
)

/** Seat ids that were given up: a write that carries one can no longer land. */
export const seatFences = sqliteTable(
  'seatgate_seat_fences',
  {
    seatId: text('seat_id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    fencedAt: instant('fenced_at').notNull(),
  },
  (table) => [index('seatgate_seat_fences_fenced').on(table.fencedAt, table.seatId)]
)

/**
 * What happened, in commit order per organization. Rows can only be inserted; those up to the horizon of
 * {@link auditPurges} go.
 */
export const auditEvents = sqliteTable(
  'seatgate_audit_events',
  {
    organizationId: text('organization_id').notNull(),
    sequence: integer('sequence').notNull(),
    id: text('id').notNull(),
    action: text('action').notNull(),
    outcome: text('outcome', { enum: ['success', 'failure', 'error'] }).notNull(),
    actorType: text('actor_type', {
      enum: ['user', 'operator', 'service_account', 'webhook', 'job', 'system', 'anonymous'],
    }).notNull(),
    actorId: text('actor_id'),
    effectiveUserId: text('effective_user_id'),
    targetType: text('target_type'),
    targetId: text('target_id'),
    metadata: text('metadata', { mode: 'json' }).$type<Record<string, unknown>>().notNull(),
    requestId: text('request_id'),
    traceId: text('trace_id'),
    causeEventId: text('cause_event_id'),
    idempotencyKey: text('idempotency_key'),
    personalDigest: text('personal_digest'),
    schemaVersion: integer('schema_version').notNull(),
    occurredAt: instant('occurred_at').notNull(),
    insertedAt: instant('inserted_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.sequence] }),
    uniqueIndex('seatgate_audit_events_id').on(table.id),
    uniqueIndex('seatgate_audit_events_idempotency')
      .on(table.organizationId, table.idempotencyKey)
      .where(sql`idempotency_key IS NOT NULL`),
    index('seatgate_audit_events_actor').on(table.organizationId, table.actorId),
    index('seatgate_audit_events_target').on(table.organizationId, table.targetId),
    index('seatgate_audit_events_action').on(table.organizationId, table.action),
    check('seatgate_audit_events_sequence', sql`sequence > 0`),
    check(
      'seatgate_audit_events_action',
      sql`length(action) <= 255 AND action GLOB '[a-z]*.[a-z]*' AND NOT action GLOB '*[^a-z0-9_.]*' AND NOT action GLOB '*.[^a-z]*' AND NOT action GLOB '*.'`
    ),
    check('seatgate_audit_events_outcome', sql`outcome IN ('success', 'failure', 'error')`),
    check(
      'seatgate_audit_events_actor_type',
      sql`actor_type IN ('user', 'operator', 'service_account', 'webhook', 'job', 'system', 'anonymous')`
    ),
    check(
      'seatgate_audit_events_actor_id',
      sql`actor_id IS NOT NULL OR actor_type IN ('system', 'anonymous')`
    ),
    check(
      'seatgate_audit_events_metadata',
      sql`json_valid(metadata) AND json_type(metadata) = 'object' AND length(CAST(metadata AS BLOB)) <= 8192`
    ),
    check('seatgate_audit_events_schema_version', sql`schema_version > 0`),
    check(
      'seatgate_audit_events_idempotency_key',
      sql`idempotency_key IS NULL OR length(idempotency_key) BETWEEN 1 AND 255`
    ),
    check(
      'seatgate_audit_events_personal_digest',
      sql`personal_digest IS NULL OR length(personal_digest) = 64`
    ),
  ]
)

/** What events know of people beside their ids. Rows can be erased, and not be changed. */
export const auditPersonal = sqliteTable(
  'seatgate_audit_personal',
  {
    organizationId: text('organization_id').notNull(),
    digest: text('digest').notNull(),
    userId: text('user_id'),
    salt: text('salt').notNull(),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.digest] }),
    index('seatgate_audit_personal_user')
      .on(table.userId)
      .where(sql`user_id IS NOT NULL`),
    check('seatgate_audit_personal_digest', sql`length(digest) = 64`),
    check('seatgate_audit_personal_salt', sql`length(salt) = 64`),
    check('seatgate_audit_personal_ip_address', sql`length(ip_address) <= 64`),
    check('seatgate_audit_personal_user_agent', sql`length(user_agent) <= 512`),
  ]
)

/**
 * The hashes of complete subtrees of each organization's log, leaves at level 0. Rows can only be
 * inserted.
 */
export const auditNodes = sqliteTable(
  'seatgate_audit_nodes',
  {
    organizationId: text('organization_id').notNull(),
    level: integer('level').notNull(),
    position: integer('position').notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.level, table.position] }),
    check('seatgate_audit_nodes_level', sql`level >= 0`),
    check('seatgate_audit_nodes_position', sql`position >= 0`),
    check('seatgate_audit_nodes_hash', sql`length(hash) = 44`),
  ]
)

/** Signed checkpoints: each says what the log was when it had so many events. Only inserted. */
export const auditCheckpoints = sqliteTable(
  'seatgate_audit_checkpoints',
  {
    organizationId: text('organization_id').notNull(),
    size: integer('size').notNull(),
    note: text('note').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.size] }),
    check('seatgate_audit_checkpoints_size', sql`size > 0`),
  ]
)

/** Up to which checkpoint each log is known to be kept outside, where that is asked for. */
export const auditPublished = sqliteTable(
  'seatgate_audit_published',
  {
    organizationId: text('organization_id').primaryKey(),
    size: integer('size').notNull(),
  },
  () => [check('seatgate_audit_published_size', sql`size > 0`)]
)

/**
 * Runs that took away the beginning of a trail. The last one's `lastSequence` is the horizon: what is
 * up to there is gone, and nothing comes back there. Only inserted; the duration follows.
 */
export const auditPurges = sqliteTable(
  'seatgate_audit_purges',
  {
    organizationId: text('organization_id').notNull(),
    firstSequence: integer('first_sequence').notNull(),
    lastSequence: integer('last_sequence').notNull(),
    lastHash: text('last_hash').notNull(),
    checkpointSize: integer('checkpoint_size').notNull(),
    personalRecords: integer('personal_records').notNull(),
    deadLetters: integer('dead_letters').notNull(),
    forced: flag('forced').notNull(),
    lifecycle: text('lifecycle'),
    seatLimit: text('seat_limit', { mode: 'json' }),
    startedAt: instant('started_at').notNull(),
    milliseconds: integer('milliseconds'),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.lastSequence] }),
    check('seatgate_audit_purges_first_sequence', sql`first_sequence > 0`),
    check('seatgate_audit_purges_last_sequence', sql`last_sequence >= first_sequence`),
    check('seatgate_audit_purges_last_hash', sql`length(last_hash) = 44`),
    check('seatgate_audit_purges_checkpoint_size', sql`checkpoint_size >= last_sequence`),
    check('seatgate_audit_purges_personal_records', sql`personal_records >= 0`),
    check('seatgate_audit_purges_dead_letters', sql`dead_letters >= 0`),
    check('seatgate_audit_purges_forced', sql`forced IN (0, 1)`),
    check('seatgate_audit_purges_milliseconds', sql`milliseconds >= 0`),
  ]
)

/** Seats that were taken at the horizon: what is gone had said so. With an invitation, reserved. */
export const auditCarriedSeats = sqliteTable(
  'seatgate_audit_carried_seats',
  {
    organizationId: text('organization_id').notNull(),
    seatId: text('seat_id').notNull(),
    invitationId: text('invitation_id'),
    expiresAt: text('expires_at'),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.seatId] })]
)

/** When each trail is looked at next, and whether a legal hold keeps all of it. */
export const auditRetention = sqliteTable(
  'seatgate_audit_retention',
  {
    organizationId: text('organization_id').primaryKey(),
    dueAt: instant('due_at').notNull(),
    heldAt: instant('held_at'),
    heldReason: text('held_reason'),
  },
  (table) => [
    index('seatgate_audit_retention_due').on(table.dueAt),
    check('seatgate_audit_retention_held_at', sql`(held_at IS NULL) = (held_reason IS NULL)`),
  ]
)

/** Organizations with events that some sink has not had yet, or whose log is not sealed and published. */
export const auditOutbox = sqliteTable(
  'seatgate_audit_outbox',
  {
    organizationId: text('organization_id').primaryKey(),
    sweptAt: instant('swept_at').notNull(),
  },
  (table) => [index('seatgate_audit_outbox_rotation').on(table.sweptAt)]
)

/** How far each sink has come in each organization, and who is delivering at the moment. */
export const sinkCursors = sqliteTable(
  'seatgate_sink_cursors',
  {
    organizationId: text('organization_id').notNull(),
    sinkId: text('sink_id').notNull(),
    sequence: integer('sequence').notNull().default(0),
    attempts: integer('attempts').notNull().default(0),
    nextAttemptAt: instant('next_attempt_at').notNull(),
    lastError: text('last_error'),
    leaseToken: text('lease_token'),
    leasedUntil: instant('leased_until').notNull(),
    failingSince: instant('failing_since'),
    pausedReason: text('paused_reason'),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.sinkId] }),
    check('seatgate_sink_cursors_sequence', sql`sequence >= 0`),
    check('seatgate_sink_cursors_attempts', sql`attempts >= 0`),
  ]
)

/** Events that were given up for a sink, and why; `queued` is to be tried once more. */
export const sinkDeadLetters = sqliteTable(
  'seatgate_sink_dead_letters',
  {
    organizationId: text('organization_id').notNull(),
    sinkId: text('sink_id').notNull(),
    sequence: integer('sequence').notNull(),
    eventId: text('event_id').notNull(),
    action: text('action').notNull(),
    state: text('state', { enum: ['dead', 'queued', 'delivered'] }).notNull(),
    reason: text('reason').notNull(),
    attempts: integer('attempts').notNull(),
    diedAt: instant('died_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.sinkId, table.sequence] }),
    index('seatgate_sink_dead_letters_queued')
      .on(table.organizationId, table.sinkId, table.sequence)
      .where(sql`state = 'queued'`),
    check('seatgate_sink_dead_letters_sequence', sql`sequence > 0`),
    check('seatgate_sink_dead_letters_state', sql`state IN ('dead', 'queued', 'delivered')`),
    check('seatgate_sink_dead_letters_attempts', sql`attempts > 0`),
  ]
)

/**
 * What was tried: one row for each attempt, or for a range of events that went the same way. Those in
 * `passed` the sink does not take. Rows can only be inserted, and go with their events.
 */
export const sinkAttempts = sqliteTable(
  'seatgate_sink_attempts',
  {
    id: integer('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    sinkId: text('sink_id').notNull(),
    firstSequence: integer('first_sequence').notNull(),
    lastSequence: integer('last_sequence').notNull(),
    outcome: text('outcome', {
      enum: ['delivered', 'passed', 'skipped', 'retry', 'paused', 'dead'],
    }).notNull(),
    reason: text('reason'),
    attempt: integer('attempt').notNull(),
    passed: text('passed', { mode: 'json' }).$type<readonly PassedOver[]>().notNull(),
    attemptedAt: instant('attempted_at').notNull(),
    milliseconds: integer('milliseconds').notNull(),
  },
  (table) => [
    index('seatgate_sink_attempts_route').on(
      table.organizationId,
      table.sinkId,
      table.firstSequence
    ),
    check('seatgate_sink_attempts_first_sequence', sql`first_sequence > 0`),
    check('seatgate_sink_attempts_last_sequence', sql`last_sequence >= first_sequence`),
    check(
      'seatgate_sink_attempts_outcome',
      sql`outcome IN ('delivered', 'passed', 'skipped', 'retry', 'paused', 'dead')`
    ),
    check('seatgate_sink_attempts_attempt', sql`attempt >= 0`),
    check('seatgate_sink_attempts_passed', sql`json_valid(passed)`),
    check('seatgate_sink_attempts_milliseconds', sql`milliseconds >= 0`),
  ]
)

/** Events that a sink does not take, and which part of its configuration says so. */
export interface PassedOver {
  readonly first: number
  readonly last: number
  readonly because: 'since' | 'include' | 'exclude' | 'accepts'
}

/**
 * Invitations. One without any of the three ends is unfinished, and pending until it expires. `seatId`
 * is the seat that its membership will carry, if invitations hold seats.
 */
export const invitations = sqliteTable(
  'seatgate_invitations',
  {
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    email: text('email').notNull(),
    role: text('role').notNull(),
    tokenHash: text('token_hash').notNull(),
    tokenVersion: integer('token_version').notNull().default(1),
    seatId: text('seat_id'),
    expiresAt: instant('expires_at').notNull(),
    acceptedAt: instant('accepted_at'),
    acceptedById: text('accepted_by_id'),
    revokedAt: instant('revoked_at'),
    revokedById: text('revoked_by_id'),
    revokeReason: text('revoke_reason', {
      enum: ['revoked', 'superseded', 'organization_deleted'],
    }),
    declinedAt: instant('declined_at'),
    mailStatus: text('mail_status', { enum: ['queued', 'sent', 'failed', 'skipped'] })
      .notNull()
      .default('skipped'),
    invitedById: text('invited_by_id'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    /** The recipient's language (BCP 47), if the inviter gave one. */
    locale: text('locale'),
  },
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    uniqueIndex('seatgate_invitations_token').on(table.tokenHash),
    uniqueIndex('seatgate_invitations_unfinished')
      .on(table.organizationId, table.email)
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
    index('seatgate_invitations_email')
      .on(table.email, table.createdAt, table.id)
      .where(sql`accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL`),
    index('seatgate_invitations_expiry').on(table.expiresAt),
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
  ]
)

/**
 * Mail domains of organizations. One that is verified is of one organization alone; `mode` says what
 * it is good for to those who have an address there.
 */
export const organizationDomains = sqliteTable(
  'seatgate_organization_domains',
  {
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    domain: text('domain').notNull(),
    mode: text('mode', { enum: ['off', 'request', 'auto'] })
      .notNull()
      .default('off'),
    challenge: text('challenge').notNull(),
    verifiedAt: instant('verified_at'),
    /** When the record was looked up last. */
    checkedAt: instant('checked_at').notNull().default(new Date(0)),
    /** Since when the record is missing that was there once. */
    recordMissingSince: instant('record_missing_since'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
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
 * Who has asked to join. `open` waits for somebody's word, `waiting` for a seat: the line of an
 * organization are those who wait, by `place`, which is never given twice.
 */
export const joinRequests = sqliteTable(
  'seatgate_join_requests',
  {
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
  },
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
 * Who was removed or suspended by somebody else, and may not come back by the domain of their address:
 * by id, and by a salted digest of the address they had. Goes when somebody lets them in again.
 */
export const exclusions = sqliteTable(
  'seatgate_exclusions',
  {
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    userId: text('user_id').notNull(),
    addressLength: integer('address_length'),
    salt: text('salt'),
    digest: text('digest'),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    index('seatgate_exclusions_user').on(table.organizationId, table.userId),
    index('seatgate_exclusions_address').on(table.organizationId, table.addressLength),
    index('seatgate_exclusions_everywhere').on(table.userId),
    check('seatgate_exclusions_salt', sql`length(salt) = 64`),
    check('seatgate_exclusions_digest', sql`length(digest) = 64`),
    check(
      'seatgate_exclusions_salt_2',
      sql`(salt IS NULL) = (digest IS NULL) AND (salt IS NULL) = (address_length IS NULL)`
    ),
  ]
)

/** Where what goes round all organizations has come to, in order of their ids. */
export const rotations = sqliteTable('seatgate_rotations', {
  name: text('name').primaryKey(),
  place: text('place').notNull(),
})

/** How often something was done since its window began. */
export const rateLimits = sqliteTable(
  'seatgate_rate_limits',
  {
    key: text('key').primaryKey(),
    count: integer('count').notNull(),
    endsAt: instant('ends_at').notNull(),
  },
  (table) => [
    index('seatgate_rate_limits_end').on(table.endsAt),
    check('seatgate_rate_limits_key', sql`length(key) > 0`),
    check('seatgate_rate_limits_count', sql`count > 0`),
  ]
)

/** What is to be done outside D1 once a change is committed. A row goes when it is done. */
export const intents = sqliteTable(
  'seatgate_jobs',
  {
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    kind: text('kind').notNull(),
    payload: text('payload', { mode: 'json' }).notNull(),
    attempts: integer('attempts').notNull().default(0),
    dueAt: instant('due_at').notNull(),
    lastError: text('last_error'),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    index('seatgate_jobs_due').on(table.dueAt),
    check('seatgate_jobs_kind', sql`length(kind) > 0`),
    check('seatgate_jobs_payload', sql`json_valid(payload)`),
    check('seatgate_jobs_attempts', sql`attempts >= 0`),
  ]
)

/** Answers given under an `Idempotency-Key`, kept for `operationRetentionDays`. */
export const operations = sqliteTable(
  'seatgate_operations',
  {
    actorId: text('actor_id').notNull(),
    id: text('id').notNull(),
    digest: text('digest').notNull(),
    outcome: text('outcome').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.actorId, table.id] }),
    index('seatgate_operations_created').on(table.createdAt),
    check('seatgate_operations_id', sql`length(id) BETWEEN 1 AND 255`),
    check('seatgate_operations_outcome', sql`json_valid(outcome)`),
  ]
)

/** Sessions: the SHA-256 of the token, whose it is, and the organization it works in. */
export const sessions = sqliteTable(
  'seatgate_sessions',
  {
    tokenHash: text('token_hash').primaryKey(),
    userId: text('user_id').notNull(),
    activeOrganizationId: text('active_organization_id'),
    expiresAt: instant('expires_at').notNull(),
    lastActiveAt: instant('last_active_at').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    index('seatgate_sessions_active_organization').on(table.activeOrganizationId, table.userId),
    index('seatgate_sessions_user').on(table.userId),
    index('seatgate_sessions_expiry').on(table.expiresAt),
    check('seatgate_sessions_token_hash', sql`length(token_hash) = 64`),
  ]
)

/**
 * One row: which version of the schema the migrations have made, and from which version on code works
 * with it. It is read in the first batch of each isolate.
 */
export const schemaVersion = sqliteTable(
  'seatgate_schema',
  {
    id: integer('id').primaryKey(),
    version: integer('version').notNull(),
    compatibleFrom: integer('compatible_from').notNull(),
  },
  () => [
    check('seatgate_schema_id', sql`id = 1`),
    check('seatgate_schema_version', sql`version > 0`),
    check('seatgate_schema_compatible_from', sql`compatible_from BETWEEN 1 AND version`),
  ]
)

/**
 * Always empty: inserting a row aborts the batch with the row's code. In the tables of the migrations a
 * trigger does that. Where the tables are generated from here these checks do, the last one for a code
 * with numbers in it.
 */
export const guards = sqliteTable('seatgate_guards', { code: text('code').notNull() }, () => [
  ...GUARD_CODES.map((code) => check(`guard:${code}`, sql.raw(`code <> '${code}'`))),
  check('seatgate_guards_empty', sql`code IS NULL`),
])

export type OrganizationRow = typeof organizations.$inferSelect
export type InvitationRow = typeof invitations.$inferSelect
export type DomainRow = typeof organizationDomains.$inferSelect
export type JoinRequestRow = typeof joinRequests.$inferSelect
export type ExclusionRow = typeof exclusions.$inferSelect
export type MembershipRow = typeof memberships.$inferSelect
export type AuditEventRow = typeof auditEvents.$inferSelect
