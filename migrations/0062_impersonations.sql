-- The impersonations of operators. Only the hash of a token is stored. The id is that of the event of the start.
CREATE TABLE IF NOT EXISTS seatgate_impersonations (
  id TEXT PRIMARY KEY NOT NULL CHECK (length(id) > 0),
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  user_id TEXT NOT NULL CHECK (length(user_id) > 0),
  operator_id TEXT NOT NULL CHECK (length(operator_id) > 0),
  token_hash TEXT NOT NULL CHECK (length(token_hash) = 64),
  reason TEXT NOT NULL CHECK (length(reason) > 0),
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_impersonations_hash ON seatgate_impersonations (token_hash);
CREATE INDEX IF NOT EXISTS seatgate_impersonations_organization ON seatgate_impersonations (organization_id, created_at, id);
CREATE INDEX IF NOT EXISTS seatgate_impersonations_operator ON seatgate_impersonations (operator_id, created_at, id);
