CREATE TRIGGER IF NOT EXISTS seatgate_audit_events_no_update BEFORE UPDATE ON seatgate_audit_events BEGIN SELECT RAISE(ABORT, 'audit_immutable'); END;
