-- Finds the rows that are in trouble, for the health of the platform. A row without trouble is in no index.
CREATE INDEX IF NOT EXISTS seatgate_sink_cursors_paused ON seatgate_sink_cursors (sink_id) WHERE paused_reason IS NOT NULL;
CREATE INDEX IF NOT EXISTS seatgate_sink_dead_letters_dead ON seatgate_sink_dead_letters (sink_id) WHERE state = 'dead';
CREATE INDEX IF NOT EXISTS seatgate_jobs_failing ON seatgate_jobs (kind, created_at) WHERE last_error IS NOT NULL AND last_error <> 'Held';
