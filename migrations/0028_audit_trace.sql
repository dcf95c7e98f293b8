ALTER TABLE audit_events ADD COLUMN trace_id TEXT;
