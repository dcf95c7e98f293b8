SELECT organization_id, seat_id, invitation_id, expires_at FROM audit_carried_seats WHERE 0;
SELECT organization_id, size, note, created_at FROM audit_checkpoints WHERE 0;
SELECT organization_id, sequence, id, action, outcome, actor_type, actor_id, effective_user_id, target_type, target_id, metadata, request_id, schema_version, occurred_at, inserted_at, trace_id, cause_event_id, idempotency_key, personal_digest FROM audit_events WHERE 0;
SELECT organization_id, level, position, hash FROM audit_nodes WHERE 0;
SELECT organization_id, swept_at FROM audit_outbox WHERE 0;
SELECT organization_id, digest, user_id, salt, ip_address, user_agent FROM audit_personal WHERE 0;
SELECT organization_id, size FROM audit_published WHERE 0;
SELECT organization_id, first_sequence, last_sequence, last_hash, checkpoint_size, personal_records, dead_letters, forced, lifecycle, seat_limit, started_at, milliseconds FROM audit_purges WHERE 0;
SELECT organization_id, due_at, held_at, held_reason FROM audit_retention WHERE 0;
SELECT organization_id, version, limit_kind, limit_seats, reason, updated_at FROM entitlements WHERE 0;
SELECT id, organization_id, user_id, address_length, salt, digest, created_at FROM exclusions WHERE 0;
SELECT code FROM guards WHERE 0;
SELECT id, organization_id, kind, payload, attempts, due_at, last_error, created_at FROM intents WHERE 0;
SELECT id, organization_id, email, role, token_hash, token_version, seat_id, expires_at, accepted_at, accepted_by_id, revoked_at, revoked_by_id, revoke_reason, declined_at, mail_status, invited_by_id, created_at, updated_at, locale FROM invitations WHERE 0;
SELECT id, organization_id, user_id, role, path, state, place, tried_at, decided_by_id, created_at, updated_at FROM join_requests WHERE 0;
SELECT organization_id, active, suspended, seats FROM member_counts WHERE 0;
SELECT id, organization_id, user_id, role, status, seat_id, created_at, updated_at, suspended_by FROM memberships WHERE 0;
SELECT actor_id, id, digest, outcome, created_at FROM operations WHERE 0;
SELECT id, organization_id, domain, mode, challenge, verified_at, created_at, updated_at, checked_at, record_missing_since FROM organization_domains WHERE 0;
SELECT old_slug, organization_id, expires_at, created_at FROM organization_slug_aliases WHERE 0;
SELECT id, name, slug, owner_user_id, deleted_at, created_at, updated_at, enforce_mfa_for_members, personal FROM organizations WHERE 0;
SELECT key, count, ends_at FROM rate_limits WHERE 0;
SELECT name, place FROM rotations WHERE 0;
SELECT seat_id, organization_id, fenced_at FROM seat_fences WHERE 0;
SELECT organization_id, epoch, fenced_through FROM seat_ledgers WHERE 0;
SELECT token_hash, user_id, active_organization_id, expires_at, last_active_at, created_at FROM sessions WHERE 0;
SELECT id, organization_id, sink_id, first_sequence, last_sequence, outcome, reason, attempt, passed, attempted_at, milliseconds FROM sink_attempts WHERE 0;
SELECT organization_id, sink_id, sequence, attempts, next_attempt_at, last_error, lease_token, leased_until, failing_since, paused_reason FROM sink_cursors WHERE 0;
SELECT organization_id, sink_id, sequence, event_id, action, state, reason, attempts, died_at, updated_at FROM sink_dead_letters WHERE 0;
CREATE TABLE IF NOT EXISTS seatgate_schema (
  id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
  version INTEGER NOT NULL CHECK (version > 0),
  compatible_from INTEGER NOT NULL CHECK (compatible_from BETWEEN 1 AND version)
);
INSERT OR REPLACE INTO seatgate_schema (id, version, compatible_from) VALUES (1, 67, 60);
