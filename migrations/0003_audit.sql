CREATE TABLE IF NOT EXISTS audit_events (
  organization_id TEXT NOT NULL,
  sequence INTEGER NOT NULL CHECK (sequence > 0),
  id TEXT NOT NULL,
  action TEXT NOT NULL CHECK (length(action) <= 255 AND action GLOB '[a-z]*.[a-z]*' AND NOT action GLOB '*[^a-z0-9_.]*' AND NOT action GLOB '*.[^a-z]*' AND NOT action GLOB '*.'),
  outcome TEXT NOT NULL CHECK (outcome IN ('success', 'failure', 'error')),
  actor_type TEXT NOT NULL CHECK (actor_type IN ('user', 'operator', 'service_account', 'webhook', 'job', 'system', 'anonymous')),
  actor_id TEXT CHECK (actor_id IS NOT NULL OR actor_type IN ('system', 'anonymous')),
  effective_user_id TEXT,
  target_type TEXT,
  target_id TEXT,
  metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata) AND json_type(metadata) = 'object' AND length(CAST(metadata AS BLOB)) <= 8192),
  request_id TEXT,
  schema_version INTEGER NOT NULL DEFAULT 1 CHECK (schema_version > 0),
  occurred_at INTEGER NOT NULL,
  inserted_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, sequence)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS audit_events_id ON audit_events (id);

CREATE TABLE IF NOT EXISTS audit_outbox (
  organization_id TEXT PRIMARY KEY NOT NULL,
  swept_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS audit_outbox_rotation ON audit_outbox (swept_at);

CREATE TABLE IF NOT EXISTS sink_cursors (
  organization_id TEXT NOT NULL,
  sink_id TEXT NOT NULL,
  sequence INTEGER NOT NULL DEFAULT 0 CHECK (sequence >= 0),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_attempt_at INTEGER NOT NULL DEFAULT 0,
  last_error TEXT,
  lease_token TEXT,
  leased_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (organization_id, sink_id)
) WITHOUT ROWID;
