-- Sweeps visit these tables in order of their primary keys.
DROP INDEX IF EXISTS seatgate_audit_outbox_rotation;
DROP INDEX IF EXISTS seatgate_invitations_expiry;
DROP INDEX IF EXISTS seatgate_operations_created;
DROP INDEX IF EXISTS seatgate_rate_limits_end;
DROP INDEX IF EXISTS seatgate_sessions_expiry;
