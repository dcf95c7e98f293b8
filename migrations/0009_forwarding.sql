-- How far each sink has read each trail, and who holds the lease on it.
CREATE TABLE IF NOT EXISTS seatgate_sink_cursors (
  organization_id TEXT NOT NULL,
  sink_id TEXT NOT NULL,
  sequence INTEGER NOT NULL DEFAULT 0 CHECK (sequence >= 0),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_attempt_at INTEGER NOT NULL DEFAULT 0,
  last_error TEXT,
  failing_since INTEGER,
  paused_reason TEXT,
  lease_token TEXT,
  leased_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (organization_id, sink_id)
) WITHOUT ROWID;

-- Events that a sink refused, until they are put back in the queue.
CREATE TABLE IF NOT EXISTS seatgate_sink_dead_letters (
  organization_id TEXT NOT NULL,
  sink_id TEXT NOT NULL,
  sequence INTEGER NOT NULL CHECK (sequence > 0),
  event_id TEXT NOT NULL,
  action TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('dead', 'queued', 'delivered')),
  reason TEXT NOT NULL,
  attempts INTEGER NOT NULL CHECK (attempts > 0),
  died_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, sink_id, sequence)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_sink_dead_letters_queued ON seatgate_sink_dead_letters (organization_id, sink_id, sequence) WHERE state = 'queued';

-- The history of deliveries, as immutable as the events in it.
CREATE TABLE IF NOT EXISTS seatgate_sink_attempts (
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
CREATE INDEX IF NOT EXISTS seatgate_sink_attempts_route ON seatgate_sink_attempts (organization_id, sink_id, first_sequence);
