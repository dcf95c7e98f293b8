/**
 * Finds the constraint that an error of D1 names, and its owner.
 *
 * @module
 */
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
  'seatgate_memberships.id',
  'seatgate_memberships.organization_id, seatgate_memberships.user_id',
  'seatgate_memberships.seat_id',
  'seatgate_organization_slug_aliases.old_slug',
  'seatgate_member_counts.organization_id',
  'seatgate_entitlements.organization_id',
  'seatgate_seat_ledgers.organization_id',
  'seatgate_seat_fences.seat_id',
  'seatgate_audit_events.organization_id, seatgate_audit_events.sequence',
  'seatgate_audit_events.id',
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
  'seatgate_exclusions.id',
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
