DROP TRIGGER IF EXISTS audit_events_no_delete;
