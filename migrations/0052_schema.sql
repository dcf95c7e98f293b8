SELECT organization_id, seat_id, invitation_id, expires_at FROM seatgate_audit_carried_seats WHERE 0;
SELECT organization_id, size, note, created_at FROM seatgate_audit_checkpoints WHERE 0;
SELECT organization_id, sequence, id, action, outcome, actor_type, actor_id, effective_user_id, target_type, target_id, metadata, request_id, trace_id, cause_event_id, idempotency_key, personal_digest, schema_version, occurred_at, inserted_at FROM seatgate_audit_events WHERE 0;
SELECT organization_id, level, bucket, first_sequence, entries FROM seatgate_audit_lookups WHERE 0;
SELECT organization_id, level, position, hash FROM seatgate_audit_nodes WHERE 0;
SELECT organization_id, swept_at FROM seatgate_audit_outbox WHERE 0;
SELECT organization_id, digest, user_id, salt, ip_address, user_agent FROM seatgate_audit_personal WHERE 0;
SELECT organization_id, size FROM seatgate_audit_published WHERE 0;
SELECT organization_id, first_sequence, last_sequence, last_hash, checkpoint_size, personal_records, dead_letters, forced, lifecycle, seat_limit, started_at, milliseconds FROM seatgate_audit_purges WHERE 0;
SELECT organization_id, due_at, held_at, held_reason FROM seatgate_audit_retention WHERE 0;
SELECT organization_id, first_sequence, last_sequence, begins_after, digest, bytes, began_at, ended_at, archived_at FROM seatgate_audit_segments WHERE 0;
SELECT provider, organization_id, customer_id, changes, seats, proration, due_at, attempts, last_error, checked_at, created_at FROM seatgate_billing_customers WHERE 0;
SELECT provider, account, mode, event_id, handler, organization_id, attempts, due_at, last_error, finished_at FROM seatgate_billing_handlers WHERE 0;
SELECT provider, account, mode, event_id, type, subscription_id, customer_id, provider_time, status, attempts, due_at, last_error, received_at, finished_at FROM seatgate_billing_inbox WHERE 0;
SELECT provider, user_id, customer_id, due_at, attempts, last_error, requested_at, finished_at, created_at FROM seatgate_billing_users WHERE 0;
SELECT organization_id, included, purchased, add_ons, cap, ends_at, reason, actor_id, set_at, starts_at, before FROM seatgate_entitlement_overrides WHERE 0;
SELECT organization_id, revision, unknown_since, over_since, over_grace_end, notice, due_at FROM seatgate_entitlement_states WHERE 0;
SELECT organization_id, version, limit_kind, limit_seats, reason, updated_at FROM seatgate_entitlements WHERE 0;
SELECT id, organization_id, user_id, address_length, salt, digest, created_at FROM seatgate_exclusions WHERE 0;
SELECT code FROM seatgate_guards WHERE 0;
SELECT id, organization_id, email, role, token_hash, token_version, seat_id, expires_at, accepted_at, accepted_by_id, revoked_at, revoked_by_id, revoke_reason, declined_at, mail_status, locale, invited_by_id, created_at, updated_at FROM seatgate_invitations WHERE 0;
SELECT id, organization_id, token_hash, role, domain, max_uses, uses_left, expires_at, created_by_id, revoked_at, revoked_by_id, created_at, updated_at FROM seatgate_invite_links WHERE 0;
SELECT id, organization_id, kind, payload, attempts, due_at, last_error, created_at FROM seatgate_jobs WHERE 0;
SELECT id, organization_id, user_id, role, path, state, place, tried_at, decided_by_id, created_at, updated_at FROM seatgate_join_requests WHERE 0;
SELECT organization_id, active, suspended, seats FROM seatgate_member_counts WHERE 0;
SELECT id, organization_id, user_id, role, status, suspended_by, seat_id, created_at, updated_at FROM seatgate_memberships WHERE 0;
SELECT actor_id, id, digest, outcome, created_at FROM seatgate_operations WHERE 0;
SELECT id, organization_id, domain, mode, challenge, verified_at, checked_at, record_missing_since, created_at, updated_at FROM seatgate_organization_domains WHERE 0;
SELECT old_slug, organization_id, expires_at, created_at FROM seatgate_organization_slug_aliases WHERE 0;
SELECT id, name, slug, owner_user_id, personal, enforce_mfa_for_members, deleted_at, created_at, updated_at FROM seatgate_organizations WHERE 0;
SELECT key, count, ends_at FROM seatgate_rate_limits WHERE 0;
SELECT name, place FROM seatgate_rotations WHERE 0;
SELECT id, organization_id, token_hash, name, created_by_id, expires_at, last_used_at, created_at FROM seatgate_scim_tokens WHERE 0;
SELECT organization_id, id, position, user_id, user_name, user_name_key, external_id, email, attributes, version, created_at, updated_at FROM seatgate_scim_users WHERE 0;
SELECT organization_id, sequence, checked_at FROM seatgate_seat_checks WHERE 0;
SELECT seat_id, organization_id, fenced_at FROM seatgate_seat_fences WHERE 0;
SELECT organization_id, epoch, fenced_through FROM seatgate_seat_ledgers WHERE 0;
SELECT token_hash, user_id, active_organization_id, expires_at, last_active_at, created_at FROM seatgate_sessions WHERE 0;
SELECT id, organization_id, sink_id, first_sequence, last_sequence, outcome, reason, attempt, passed, attempted_at, milliseconds FROM seatgate_sink_attempts WHERE 0;
SELECT organization_id, sink_id, sequence, attempts, next_attempt_at, last_error, failing_since, paused_reason, lease_token, leased_until FROM seatgate_sink_cursors WHERE 0;
SELECT organization_id, sink_id, sequence, event_id, action, state, reason, attempts, died_at, updated_at FROM seatgate_sink_dead_letters WHERE 0;
SELECT session_id, user_id, fresh_until FROM seatgate_step_ups WHERE 0;
SELECT provider, subscription_id, organization_id, customer_id, plan, status, quantity, add_ons, current_period_end, trial_end, cancel_at, ended_at, paused, paused_until, past_due_since, grace_end, provider_time, version, synced_at FROM seatgate_subscriptions WHERE 0;
CREATE TABLE IF NOT EXISTS seatgate_schema (
  id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
  version INTEGER NOT NULL CHECK (version > 0),
  compatible_from INTEGER NOT NULL CHECK (compatible_from BETWEEN 1 AND version)
);
INSERT OR REPLACE INTO seatgate_schema (id, version, compatible_from) VALUES (1, 52, 1);
