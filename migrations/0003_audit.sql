-- The trail of an organization. `sequence` counts from 1 without a gap, in commit order. Triggers refuse to
-- change rows, and let go only what retention has purged.
CREATE TABLE IF NOT EXISTS seatgate_audit_events (
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
  trace_id TEXT,
  cause_event_id TEXT,
  idempotency_key TEXT CHECK (idempotency_key IS NULL OR length(idempotency_key) BETWEEN 1 AND 255),
  personal_digest TEXT CHECK (personal_digest IS NULL OR length(personal_digest) = 64),
  schema_version INTEGER NOT NULL DEFAULT 1 CHECK (schema_version > 0),
  occurred_at INTEGER NOT NULL,
  inserted_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, sequence)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_audit_events_idempotency ON seatgate_audit_events (organization_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS seatgate_audit_events_over_limit ON seatgate_audit_events (organization_id, action, sequence) WHERE action = 'seat.over_limit_entered' OR action = 'seat.over_limit_cleared';

-- Where events are found by their actor, target, action and other values: `entries` leads from the hash of a value
-- to sequences. A row of level 0 is about 64 events. Once there are 64 such rows, rows of level 1 replace them.
CREATE TABLE IF NOT EXISTS seatgate_audit_lookups (
  organization_id TEXT NOT NULL,
  level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 1),
  bucket INTEGER NOT NULL CHECK (bucket BETWEEN 0 AND 63),
  first_sequence INTEGER NOT NULL CHECK (first_sequence > 0),
  entries TEXT NOT NULL CHECK (json_valid(entries)),
  PRIMARY KEY (organization_id, level, bucket, first_sequence)
) WITHOUT ROWID;

-- Personal data of events, apart from them, so that it can be erased while the trail stays provable.
CREATE TABLE IF NOT EXISTS seatgate_audit_personal (
  organization_id TEXT NOT NULL,
  digest TEXT NOT NULL CHECK (length(digest) = 64),
  user_id TEXT,
  salt TEXT NOT NULL CHECK (length(salt) = 64),
  ip_address TEXT CHECK (length(ip_address) <= 64),
  user_agent TEXT CHECK (length(user_agent) <= 512),
  PRIMARY KEY (organization_id, digest)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_audit_personal_user ON seatgate_audit_personal (user_id) WHERE user_id IS NOT NULL;

-- Organizations whose trail a consumer has yet to read to its end.
CREATE TABLE IF NOT EXISTS seatgate_audit_outbox (
  organization_id TEXT PRIMARY KEY NOT NULL,
  swept_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_audit_outbox_rotation ON seatgate_audit_outbox (swept_at);
