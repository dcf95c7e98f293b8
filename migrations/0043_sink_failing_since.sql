ALTER TABLE sink_cursors ADD COLUMN failing_since INTEGER;
