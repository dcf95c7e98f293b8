import { sql, type SQL } from 'drizzle-orm'
import { storeError } from './check-schema.ts'
import type { Database, Statement } from './database.ts'
import { GUARD_CODES, type GuardCode } from './schema/changes-tables.ts'
import { guards } from './schema/changes-tables.ts'
export type { GuardCode } from './schema/changes-tables.ts'

/**
 * The reason why a batch was rolled back. `stale`: the rows that the plan was made from have changed, so
 * plan again. `host_conflict`: a constraint or trigger of the host refused it. `broken`: a constraint of
 * the library that no plan violates. Otherwise the code of a guard, with the numbers of its decision.
 */
export interface Aborted {
  readonly committed: false
  readonly code: GuardCode | 'host_conflict' | 'broken'
  readonly numbers: readonly number[]
  /** The error that D1 returned. */
  readonly error: unknown
  /** The name of the constraint as SQLite gives it, or the message of a trigger. */
  readonly constraint: string | null
}

/** The outcome of a batch: committed, with the answer to each statement, or rolled back as a whole. */
export type Commit = { readonly committed: true; readonly answers: readonly unknown[] } | Aborted

/**
 * Builds a statement that aborts its batch with `code`, and with a whole number if one is given, unless
 * `condition` holds when the batch runs. D1 has one writer, so a guard sees the same state as the
 * statements beside it.
 */
export function guard(
  db: Database,
  code: GuardCode,
  condition: SQL,
  number: SQL | null = null
): Statement {
  const told = number === null ? sql`${code}` : sql`${code} || ':' || ${number}`
  return db.insert(guards).select(sql`select ${told} where not (${condition})`)
}

/**
 * Runs the statements of a plan as one D1 batch. A broken guard or constraint rolls back all of them and
 * is returned; any other error leaves the outcome unknown.
 *
 * @throws {SchemaMismatch} if the tables are not those of this version of the code.
 * @throws {StoreUnavailable} if D1 does not answer: the batch may or may not have been committed.
 */
export async function commit(db: Database, statements: readonly Statement[]): Promise<Commit> {
  const [first, ...rest] = statements
  if (first === undefined) return { committed: true, answers: [] }
  try {
    return { committed: true, answers: await db.batch([first, ...rest]) }
  } catch (error) {
    const aborted = verdict(error)
    if (aborted === null) throw await storeError(db, error)
    return aborted
  }
}

// D1 reports errors as text, and each layer may wrap it again.
function verdict(error: unknown): Aborted | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const constraint = constraintIn(at.message)
    if (constraint !== null) return { committed: false, error, constraint, ...reasonOf(constraint) }
  }
  return null
}

// The message of the trigger or, in tables that were created without triggers, the name of a CHECK.
const GUARD = /^(?:CHECK constraint failed: )?guard:([a-z_]+(?::\d+)*)$/

function reasonOf(constraint: string): Pick<Aborted, 'code' | 'numbers'> {
  const [word = '', ...rest] = GUARD.exec(constraint)?.[1]?.split(':') ?? []
  const code = GUARD_CODES.find((known) => known === word)
  if (code) return { code, numbers: rest.map(Number) }
  // Another write took a unique key of the library first: the next plan reads its row.
  const reasons = { key: 'stale', library: 'broken', host: 'host_conflict' } as const
  return { code: reasons[ownerOf(constraint)], numbers: [] }
}

/** The message of every trigger of the library that protects the audit trail. */
const OWN_MESSAGE = 'audit_immutable'

/** The prefix of the library's tables. */
const OWN_TABLE = /^seatgate_/

/**
 * The unique keys of the library's tables, as SQLite names them. A test compares the list with the
 * migrations. It does not import the tables, so that a bundle can leave out the unused ones.
 */
export const OWN_UNIQUE: ReadonlySet<string> = new Set([
  'seatgate_organizations.id',
  'seatgate_organizations.slug',
  'seatgate_memberships.organization_id, seatgate_memberships.user_id',
  'seatgate_memberships.seat_id',
  'seatgate_organization_slug_aliases.old_slug',
  'seatgate_member_counts.organization_id',
  'seatgate_entitlements.organization_id',
  'seatgate_entitlement_overrides.organization_id',
  'seatgate_entitlement_states.organization_id',
  'seatgate_subscriptions.provider, seatgate_subscriptions.subscription_id',
  'seatgate_seat_ledgers.organization_id',
  'seatgate_seat_checks.organization_id',
  'seatgate_seat_fences.seat_id',
  'seatgate_audit_events.organization_id, seatgate_audit_events.sequence',
  'seatgate_audit_lookups.organization_id, seatgate_audit_lookups.level, seatgate_audit_lookups.bucket, seatgate_audit_lookups.first_sequence',
  'seatgate_audit_events.organization_id, seatgate_audit_events.idempotency_key',
  'seatgate_audit_personal.organization_id, seatgate_audit_personal.digest',
  'seatgate_audit_nodes.organization_id, seatgate_audit_nodes.level, seatgate_audit_nodes.position',
  'seatgate_audit_checkpoints.organization_id, seatgate_audit_checkpoints.size',
  'seatgate_audit_published.organization_id',
  'seatgate_audit_purges.organization_id, seatgate_audit_purges.last_sequence',
  'seatgate_audit_carried_seats.organization_id, seatgate_audit_carried_seats.seat_id',
  'seatgate_audit_retention.organization_id',
  'seatgate_audit_outbox.organization_id',
  'seatgate_sink_cursors.organization_id, seatgate_sink_cursors.sink_id',
  'seatgate_sink_dead_letters.organization_id, seatgate_sink_dead_letters.sink_id, seatgate_sink_dead_letters.sequence',
  'seatgate_sink_attempts.id',
  'seatgate_exclusions.organization_id, seatgate_exclusions.user_id, seatgate_exclusions.id',
  'seatgate_invitations.id',
  'seatgate_invitations.token_hash',
  'seatgate_invitations.organization_id, seatgate_invitations.email',
  'seatgate_invitations.seat_id',
  'seatgate_organization_domains.id',
  'seatgate_organization_domains.organization_id, seatgate_organization_domains.domain',
  'seatgate_organization_domains.domain',
  'seatgate_join_requests.id',
  'seatgate_join_requests.organization_id, seatgate_join_requests.user_id',
  'seatgate_join_requests.organization_id, seatgate_join_requests.place',
  'seatgate_rotations.name',
  'seatgate_schema.id',
  'seatgate_rate_limits.key',
  'seatgate_jobs.id',
  'seatgate_operations.actor_id, seatgate_operations.id',
  'seatgate_billing_customers.organization_id, seatgate_billing_customers.provider',
  'seatgate_billing_customers.provider, seatgate_billing_customers.customer_id',
  'seatgate_billing_inbox.provider, seatgate_billing_inbox.account, seatgate_billing_inbox.mode, seatgate_billing_inbox.event_id',
  'seatgate_sessions.token_hash',
])

/**
 * Returns the constraint that an error of D1 names, or the message of a trigger; null for any other
 * error. Matches the beginning and the end of a message only, because the text between them may be
 * anything.
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

/** Returns the owner of a constraint: `key` is a unique key of the library, which a racing write took. */
export function ownerOf(constraint: string): 'key' | 'library' | 'host' {
  const unique = /^UNIQUE constraint failed: (.+)$/.exec(constraint)?.[1]
  if (unique !== undefined) return OWN_UNIQUE.has(unique) ? 'key' : 'host'
  if (constraint === OWN_MESSAGE) return 'library'
  const table = /^(?:NOT NULL constraint failed: |cannot store .* column )(\w+)\./.exec(constraint)
  return OWN_TABLE.test(table?.[1] ?? '') ? 'library' : 'host'
}
