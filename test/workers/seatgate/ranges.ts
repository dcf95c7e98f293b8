/**
 * Every range that a statement of the library searches, and what bounds it. A search by a unique key, for one
 * row, is none.
 *
 * @module
 */

const FIRST_OR_LAST = 'reads the first or the last row'
const PAGE = 'reads a page in order of the index'
const SWEPT = 'the sweep reads what is due'
const IN_TURN = 'the sweep reads the next rows in turn, up to a limit'

/** The bound of each range: a table, with the columns by which it is searched. */
export const RANGES: Readonly<Record<string, string>> = {
  'promises (invitation_id=?)': 'the seats of the past, as docs/seats.md says',
  'seatgate_api_keys (organization_id=? AND created_by_id=?)': 'as many keys as are configured',
  'seatgate_api_keys (organization_id=?)': 'as many keys as are configured',
  'seatgate_audit_carried_seats (organization_id=?)':
    'the seats of the past, as docs/seats.md says',
  'seatgate_audit_checkpoints (organization_id=? AND size>?)': FIRST_OR_LAST,
  'seatgate_audit_checkpoints (organization_id=?)': 'reads the last row, or a page',
  'seatgate_audit_events (organization_id=? AND action=?)': FIRST_OR_LAST,
  'seatgate_audit_events (organization_id=? AND sequence<?)': PAGE,
  'seatgate_audit_events (organization_id=? AND sequence>? AND sequence<?)': PAGE,
  'seatgate_audit_events (organization_id=? AND sequence>?)': PAGE,
  'seatgate_audit_events (organization_id=?)': 'reads the first or the last row, or a page',
  'seatgate_audit_lookups (organization_id=? AND level=? AND bucket=? AND first_sequence>? AND first_sequence<?)':
    'a row for each 64 or 4,096 events of a range',
  'seatgate_audit_lookups (organization_id=? AND level=? AND bucket=?)': PAGE,
  'seatgate_audit_outbox (organization_id<?)': IN_TURN,
  'seatgate_audit_outbox (organization_id>?)': IN_TURN,
  'seatgate_audit_personal (user_id=?)': 'what one user has left, all of which is erased',
  'seatgate_audit_purges (organization_id=?)': FIRST_OR_LAST,
  'seatgate_audit_retention (due_at<?)': SWEPT,
  'seatgate_audit_retention (organization_id>?)': PAGE,
  'seatgate_audit_segments (organization_id=? AND last_sequence>?)': PAGE,
  'seatgate_billing_customers (checked_at<?)': SWEPT,
  'seatgate_billing_customers (due_at<?)': SWEPT,
  'seatgate_billing_customers (due_at>? AND due_at<?)': SWEPT,
  'seatgate_billing_customers (organization_id=?)': 'one for each provider',
  'seatgate_billing_handlers (due_at<?)': SWEPT,
  'seatgate_billing_handlers (due_at>?)': SWEPT,
  'seatgate_billing_handlers (finished_at>? AND finished_at<?)': SWEPT,
  'seatgate_billing_handlers (provider=? AND account=? AND mode=? AND event_id=?)':
    'as many as there are handlers',
  'seatgate_billing_inbox (due_at<?)': SWEPT,
  'seatgate_billing_inbox (due_at=? AND provider=?)': 'the events of one run',
  'seatgate_billing_inbox (due_at>? AND due_at<?)': SWEPT,
  'seatgate_billing_inbox (due_at>?)': 'the events that wait',
  'seatgate_billing_inbox (status=? AND finished_at>? AND finished_at<?)': SWEPT,
  'seatgate_billing_inbox (status=? AND finished_at>?)': 'counts up to a hundred',
  'seatgate_billing_inbox (subscription_id=?)': 'the events of a subscription that wait',
  'seatgate_billing_users (due_at<?)': SWEPT,
  'seatgate_entitlement_states (due_at>? AND due_at<?)': SWEPT,
  'seatgate_exclusions (organization_id=? AND address_length=?)':
    'addresses of one length, put out',
  'seatgate_exclusions (organization_id=? AND user_id=?)': 'the exclusions of one user',
  'seatgate_exclusions (user_id=? AND organization_id=?)': 'the exclusions of one user',
  'seatgate_exclusions (user_id=?)': 'the exclusions of one user',
  'seatgate_group_members (organization_id=? AND group_id=?)': PAGE,
  'seatgate_group_members (organization_id=? AND user_id=?)': 'the groups of one member',
  'seatgate_group_members (organization_id=?)': 'all that end with their organization',
  'seatgate_groups (organization_id=?)': 'as many groups as are configured',
  'seatgate_impersonations (expires_at<?)': SWEPT,
  'seatgate_impersonations (operator_id=?)': 'ten, and those that have expired',
  'seatgate_impersonations (organization_id=?)': 'fifty, and those that have expired',
  'seatgate_invitations (email=?)': PAGE,
  'seatgate_invitations (id<?)': IN_TURN,
  'seatgate_invitations (id>?)': IN_TURN,
  'seatgate_invitations (organization_id=? AND expires_at>?)':
    'the open invitations of an organization, as docs/costs.md says',
  'seatgate_invitations (organization_id=?)':
    'a page, or the open invitations of an organization, as docs/costs.md says',
  'seatgate_invite_links (expires_at<?)': SWEPT,
  'seatgate_invite_links (organization_id=? AND created_by_id=?)':
    'as many links as are configured',
  'seatgate_invite_links (organization_id=?)': 'as many links as are configured',
  'seatgate_jobs (due_at<?)': SWEPT,
  'seatgate_jobs (kind=?)': 'counts up to a hundred',
  'seatgate_join_requests (organization_id=? AND place<?)': FIRST_OR_LAST,
  'seatgate_join_requests (organization_id=? AND place>?)': FIRST_OR_LAST,
  'seatgate_join_requests (organization_id=?)': 'a page, or all that end with their organization',
  'seatgate_join_requests (updated_at<?)': SWEPT,
  'seatgate_join_requests (user_id=?)': PAGE,
  'seatgate_memberships (organization_id=? AND role=? AND status=?)': 'looks for one other owner',
  'seatgate_memberships (organization_id=? AND user_id>?)': PAGE,
  'seatgate_memberships (organization_id=?)': 'a page; verification and repair read all members',
  'seatgate_memberships (organization_id>?)': IN_TURN,
  'seatgate_memberships (user_id=?)': 'the organizations of one user',
  'seatgate_operations ((actor_id,id)<(?,?))': IN_TURN,
  'seatgate_operations ((actor_id,id)>(?,?))': IN_TURN,
  'seatgate_operations (actor_id=? AND id>? AND id<?)':
    'the result of the caller, and those of operators who act as the caller under the same id',
  'seatgate_organization_domains (checked_at<?)': SWEPT,
  'seatgate_organization_domains (organization_id=?)': 'the domains of an organization',
  'seatgate_organization_slug_aliases (expires_at<?)': SWEPT,
  'seatgate_organizations (id>?)': PAGE,
  'seatgate_rate_limits (key<?)': IN_TURN,
  'seatgate_rate_limits (key>?)': IN_TURN,
  'seatgate_scim_tokens (organization_id=?)': 'the tokens of an organization',
  'seatgate_scim_users (organization_id=? AND email=?)': 'the users with one address',
  'seatgate_scim_users (organization_id=? AND position>? AND position<?)': PAGE,
  'seatgate_scim_users (organization_id=?)': FIRST_OR_LAST,
  'seatgate_scim_users (user_id=?)': 'the SCIM users of one account',
  'seatgate_seat_fences (fenced_at<?)': SWEPT,
  'seatgate_seat_type_counts (organization_id=?)': 'one for each type of seats',
  'seatgate_sessions (active_organization_id=? AND user_id=?)': 'the sessions of one user',
  'seatgate_sessions (active_organization_id=?)': 'all sessions in an organization that is deleted',
  'seatgate_sessions (token_hash<?)': IN_TURN,
  'seatgate_sessions (token_hash>?)': IN_TURN,
  'seatgate_sessions (user_id=?)': 'the sessions of one user',
  'seatgate_sink_attempts (organization_id=? AND sink_id=?)': PAGE,
  'seatgate_sink_cursors (sink_id=?)': 'counts up to a hundred',
  'seatgate_sink_dead_letters (organization_id=? AND sink_id=?)': PAGE,
  'seatgate_sink_dead_letters (sink_id=? AND organization_id=?)': PAGE,
  'seatgate_sink_dead_letters (sink_id=?)': 'counts up to a hundred',
  'seatgate_step_ups (fresh_until<?)': SWEPT,
  'seatgate_subscriptions (organization_id=? AND provider=?)':
    'the subscriptions of an organization',
  'seatgate_subscriptions (organization_id=?)': 'the subscriptions of an organization',
}
