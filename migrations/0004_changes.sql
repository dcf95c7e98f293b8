-- Always empty: a trigger aborts the batch that inserts a row, with the code of the guard.
CREATE TABLE IF NOT EXISTS seatgate_guards (
  code TEXT NOT NULL
);

-- Answers under an idempotency key.
CREATE TABLE IF NOT EXISTS seatgate_operations (
  actor_id TEXT NOT NULL,
  id TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 255),
  digest TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (json_valid(outcome)),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (actor_id, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_operations_created ON seatgate_operations (created_at);

-- Work outside D1 that a committed change has left. A row goes when the work is done.
CREATE TABLE IF NOT EXISTS seatgate_jobs (
  id TEXT PRIMARY KEY NOT NULL,
  organization_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (length(kind) > 0),
  payload TEXT NOT NULL CHECK (json_valid(payload)),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  due_at INTEGER NOT NULL,
  last_error TEXT,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_jobs_due ON seatgate_jobs (due_at);

-- How often something was done since its window began.
CREATE TABLE IF NOT EXISTS seatgate_rate_limits (
  key TEXT PRIMARY KEY NOT NULL CHECK (length(key) > 0),
  count INTEGER NOT NULL CHECK (count > 0),
  ends_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_rate_limits_end ON seatgate_rate_limits (ends_at);

-- How far a task that goes round all organizations has come, in order of their ids.
CREATE TABLE IF NOT EXISTS seatgate_rotations (
  name TEXT PRIMARY KEY NOT NULL,
  place TEXT NOT NULL
) WITHOUT ROWID;
