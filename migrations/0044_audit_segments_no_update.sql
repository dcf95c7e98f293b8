CREATE TRIGGER IF NOT EXISTS seatgate_audit_segments_no_update BEFORE UPDATE ON seatgate_audit_segments BEGIN SELECT RAISE(ABORT, 'audit_immutable'); END;
