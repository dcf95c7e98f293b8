ALTER TABLE sink_cursors ADD COLUMN paused_reason TEXT;
