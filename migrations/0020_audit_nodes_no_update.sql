CREATE TRIGGER IF NOT EXISTS seatgate_audit_nodes_no_update BEFORE UPDATE ON seatgate_audit_nodes BEGIN SELECT RAISE(ABORT, 'audit_immutable'); END;
