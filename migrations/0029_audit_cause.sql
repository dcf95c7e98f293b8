ALTER TABLE audit_events ADD COLUMN cause_event_id TEXT;
