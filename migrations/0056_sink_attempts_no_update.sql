CREATE TRIGGER IF NOT EXISTS sink_attempts_no_update BEFORE UPDATE ON sink_attempts BEGIN SELECT RAISE(ABORT, 'audit_immutable'); END;
