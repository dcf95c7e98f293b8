CREATE TRIGGER IF NOT EXISTS seatgate_audit_personal_no_update BEFORE UPDATE ON seatgate_audit_personal BEGIN SELECT RAISE(ABORT, 'audit_immutable'); END;
