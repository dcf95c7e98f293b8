CREATE TRIGGER IF NOT EXISTS seatgate_audit_purges_no_delete BEFORE DELETE ON seatgate_audit_purges BEGIN SELECT RAISE(ABORT, 'audit_immutable'); END;
