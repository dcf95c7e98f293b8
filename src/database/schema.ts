/**
 * The tables of Seatgate in Drizzle, as the files in `migrations/` make them. The constraints that
 * Drizzle cannot say (checks, triggers, partial indexes) live in the migrations alone.
 *
 * @module
 */
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

const instant = (name: string) => integer(name, { mode: 'timestamp_ms' })
const flag = (name: string) => integer(name, { mode: 'boolean' })

/**
 * Organizations. A row with `deletedAt` is gone for every reader; its slug is free again.
 * `ownerUserId` is the founder and never changes; who owns it now, the memberships say.
 */
export const organizations = sqliteTable('organizations', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  slug: text('slug').notNull(),
  ownerUserId: text('owner_user_id').notNull(),
  personal: flag('personal').notNull().default(false),
  enforceMfaForMembers: flag('enforce_mfa_for_members').notNull().default(false),
  deletedAt: instant('deleted_at'),
  createdAt: instant('created_at').notNull(),
  updatedAt: instant('updated_at').notNull(),
})

/** Who belongs to which organization. `seatId` is null exactly while no seat is held. */
export const memberships = sqliteTable('memberships', {
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
})

/** Slugs that were given up: until they expire they lead members to the present one. */
export const slugAliases = sqliteTable('organization_slug_aliases', {
  oldSlug: text('old_slug').primaryKey(),
  organizationId: text('organization_id').notNull(),
  expiresAt: instant('expires_at').notNull(),
  createdAt: instant('created_at').notNull(),
})

/** How many memberships of each kind an organization has. Triggers keep it; nothing else writes. */
export const memberCounts = sqliteTable('member_counts', {
  organizationId: text('organization_id').primaryKey(),
  active: integer('active').notNull(),
  suspended: integer('suspended').notNull(),
  seats: integer('seats').notNull(),
})

/** What an organization bought: one row each, replaced only by a higher version. */
export const entitlements = sqliteTable('entitlements', {
  organizationId: text('organization_id').primaryKey(),
  version: integer('version').notNull(),
  limitKind: text('limit_kind', { enum: ['finite', 'unlimited', 'unknown'] }).notNull(),
  limitSeats: integer('limit_seats'),
  reason: text('reason'),
  updatedAt: instant('updated_at').notNull(),
})

/** Which ledger is in force: a write admitted under an older epoch is refused. */
export const seatLedgers = sqliteTable('seat_ledgers', {
  organizationId: text('organization_id').primaryKey(),
  epoch: integer('epoch').notNull(),
})

/** Seat ids that were given up: a write that carries one can no longer land. */
export const seatFences = sqliteTable('seat_fences', {
  seatId: text('seat_id').primaryKey(),
  organizationId: text('organization_id').notNull(),
  fencedAt: instant('fenced_at').notNull(),
})

/**
 * What happened, in commit order per organization. Rows can only be inserted; those up to the horizon of
 * {@link auditPurges} go.
 */
export const auditEvents = sqliteTable(
  'audit_events',
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
  (table) => [primaryKey({ columns: [table.organizationId, table.sequence] })]
)

/** What events know of people beside their ids. Rows can be erased, and not be changed. */
export const auditPersonal = sqliteTable(
  'audit_personal',
  {
    organizationId: text('organization_id').notNull(),
    digest: text('digest').notNull(),
    userId: text('user_id'),
    salt: text('salt').notNull(),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.digest] })]
)

/**
 * The hashes of complete subtrees of each organization's log, leaves at level 0. Rows can only be
 * inserted.
 */
export const auditNodes = sqliteTable(
  'audit_nodes',
  {
    organizationId: text('organization_id').notNull(),
    level: integer('level').notNull(),
    position: integer('position').notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.level, table.position] })]
)

/** Signed checkpoints: each says what the log was when it had so many events. Only inserted. */
export const auditCheckpoints = sqliteTable(
  'audit_checkpoints',
  {
    organizationId: text('organization_id').notNull(),
    size: integer('size').notNull(),
    note: text('note').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.size] })]
)

/** Up to which checkpoint each log is known to be kept outside, where that is asked for. */
export const auditPublished = sqliteTable('audit_published', {
  organizationId: text('organization_id').primaryKey(),
  size: integer('size').notNull(),
})

/**
 * Runs that took away the beginning of a trail. The last one's `lastSequence` is the horizon: what is
 * up to there is gone, and nothing comes back there. Only inserted; the duration follows.
 */
export const auditPurges = sqliteTable(
  'audit_purges',
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
  (table) => [primaryKey({ columns: [table.organizationId, table.lastSequence] })]
)

/** Seats that were taken at the horizon: what is gone had said so. With an invitation, reserved. */
export const auditCarriedSeats = sqliteTable(
  'audit_carried_seats',
  {
    organizationId: text('organization_id').notNull(),
    seatId: text('seat_id').notNull(),
    invitationId: text('invitation_id'),
    expiresAt: text('expires_at'),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.seatId] })]
)

/** When each trail is looked at next, and whether a legal hold keeps all of it. */
export const auditRetention = sqliteTable('audit_retention', {
  organizationId: text('organization_id').primaryKey(),
  dueAt: instant('due_at').notNull(),
  heldAt: instant('held_at'),
  heldReason: text('held_reason'),
})

/** Organizations with events that some sink has not had yet, or whose log is not sealed and published. */
export const auditOutbox = sqliteTable('audit_outbox', {
  organizationId: text('organization_id').primaryKey(),
  sweptAt: instant('swept_at').notNull(),
})

/** How far each sink has come in each organization, and who is delivering at the moment. */
export const sinkCursors = sqliteTable(
  'sink_cursors',
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
  (table) => [primaryKey({ columns: [table.organizationId, table.sinkId] })]
)

/** Events that were given up for a sink, and why; `queued` is to be tried once more. */
export const sinkDeadLetters = sqliteTable(
  'sink_dead_letters',
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
  (table) => [primaryKey({ columns: [table.organizationId, table.sinkId, table.sequence] })]
)

/**
 * What was tried: one row for each attempt, or for a range of events that went the same way. Those in
 * `passed` the sink does not take. Rows can only be inserted, and go with their events.
 */
export const sinkAttempts = sqliteTable('sink_attempts', {
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
})

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
export const invitations = sqliteTable('invitations', {
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
  revokeReason: text('revoke_reason', { enum: ['revoked', 'superseded', 'organization_deleted'] }),
  declinedAt: instant('declined_at'),
  mailStatus: text('mail_status', { enum: ['queued', 'sent', 'failed', 'skipped'] })
    .notNull()
    .default('skipped'),
  invitedById: text('invited_by_id'),
  createdAt: instant('created_at').notNull(),
  updatedAt: instant('updated_at').notNull(),
})

/**
 * Mail domains of organizations. One that is verified is of one organization alone; `mode` says what
 * it is good for to those who have an address there.
 */
export const organizationDomains = sqliteTable('organization_domains', {
  id: text('id').primaryKey(),
  organizationId: text('organization_id').notNull(),
  domain: text('domain').notNull(),
  mode: text('mode', { enum: ['off', 'request', 'auto'] })
    .notNull()
    .default('off'),
  challenge: text('challenge').notNull(),
  verifiedAt: instant('verified_at'),
  createdAt: instant('created_at').notNull(),
  updatedAt: instant('updated_at').notNull(),
})

/**
 * Who has asked to join. `open` waits for somebody's word, `waiting` for a seat: the line of an
 * organization are those who wait, by `place`, which is never given twice.
 */
export const joinRequests = sqliteTable('join_requests', {
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

/** Where what goes round all organizations has come to, in order of their ids. */
export const rotations = sqliteTable('rotations', {
  name: text('name').primaryKey(),
  place: text('place').notNull(),
})

/** How often something was done since its window began. */
export const rateLimits = sqliteTable('rate_limits', {
  key: text('key').primaryKey(),
  count: integer('count').notNull(),
  endsAt: instant('ends_at').notNull(),
})

/** What is to be done outside D1 once a change is committed. A row goes when it is done. */
export const intents = sqliteTable('intents', {
  id: text('id').primaryKey(),
  organizationId: text('organization_id').notNull(),
  kind: text('kind').notNull(),
  payload: text('payload', { mode: 'json' }).notNull(),
  attempts: integer('attempts').notNull().default(0),
  dueAt: instant('due_at').notNull(),
  lastError: text('last_error'),
  createdAt: instant('created_at').notNull(),
})

/** Answers given under an `Idempotency-Key`, kept for ever. */
export const operations = sqliteTable(
  'operations',
  {
    actorId: text('actor_id').notNull(),
    id: text('id').notNull(),
    digest: text('digest').notNull(),
    outcome: text('outcome').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.actorId, table.id] })]
)

/** Sessions: the SHA-256 of the token, whose it is, and the organization it works in. */
export const sessions = sqliteTable('sessions', {
  tokenHash: text('token_hash').primaryKey(),
  userId: text('user_id').notNull(),
  activeOrganizationId: text('active_organization_id'),
  expiresAt: instant('expires_at').notNull(),
  lastActiveAt: instant('last_active_at').notNull(),
  createdAt: instant('created_at').notNull(),
})

/**
 * One row: which version of the schema the migrations have made, and from which version on code works
 * with it. It is read in the first batch of each isolate.
 */
export const schemaVersion = sqliteTable('seatgate_schema', {
  id: integer('id').primaryKey(),
  version: integer('version').notNull(),
  compatibleFrom: integer('compatible_from').notNull(),
})

/** Always empty: inserting a row aborts the batch with the row's code. */
export const guards = sqliteTable('guards', { code: text('code').notNull() })

export type OrganizationRow = typeof organizations.$inferSelect
export type InvitationRow = typeof invitations.$inferSelect
export type DomainRow = typeof organizationDomains.$inferSelect
export type JoinRequestRow = typeof joinRequests.$inferSelect
export type MembershipRow = typeof memberships.$inferSelect
export type AuditEventRow = typeof auditEvents.$inferSelect
