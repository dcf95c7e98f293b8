CREATE TRIGGER IF NOT EXISTS seatgate_sink_attempts_no_update BEFORE UPDATE ON seatgate_sink_attempts BEGIN SELECT RAISE(ABORT, 'audit_immutable'); END;
