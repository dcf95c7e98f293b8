CREATE TRIGGER IF NOT EXISTS users_no_orphan_membership BEFORE DELETE ON users WHEN EXISTS (SELECT 1 FROM memberships WHERE user_id = OLD.id) BEGIN SELECT RAISE(ABORT, 'user_has_memberships'); END;
