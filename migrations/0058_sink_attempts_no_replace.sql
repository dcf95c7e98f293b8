CREATE TRIGGER IF NOT EXISTS sink_attempts_no_replace BEFORE INSERT ON sink_attempts WHEN EXISTS (SELECT 1 FROM sink_attempts WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'audit_immutable'); END;
