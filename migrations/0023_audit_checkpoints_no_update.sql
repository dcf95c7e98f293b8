CREATE TRIGGER IF NOT EXISTS seatgate_audit_checkpoints_no_update BEFORE UPDATE ON seatgate_audit_checkpoints BEGIN SELECT RAISE(ABORT, 'audit_immutable'); END;
