CREATE TABLE IF NOT EXISTS sink_attempts (
  id INTEGER PRIMARY KEY NOT NULL,
  organization_id TEXT NOT NULL,
  sink_id TEXT NOT NULL,
  first_sequence INTEGER NOT NULL CHECK (first_sequence > 0),
  last_sequence INTEGER NOT NULL CHECK (last_sequence >= first_sequence),
  outcome TEXT NOT NULL CHECK (outcome IN ('delivered', 'passed', 'skipped', 'retry', 'paused', 'dead')),
  reason TEXT,
  attempt INTEGER NOT NULL CHECK (attempt >= 0),
  passed TEXT NOT NULL CHECK (json_valid(passed)),
  attempted_at INTEGER NOT NULL,
  milliseconds INTEGER NOT NULL CHECK (milliseconds >= 0)
);
CREATE INDEX IF NOT EXISTS sink_attempts_route ON sink_attempts (organization_id, sink_id, first_sequence);
