CREATE TRIGGER IF NOT EXISTS seatgate_guards_refuse BEFORE INSERT ON seatgate_guards BEGIN SELECT RAISE(ABORT, 'guard:' || NEW.code); END;
