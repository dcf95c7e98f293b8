-- Sessions by the SHA-256 of their token, with the organization that each works in.
CREATE TABLE IF NOT EXISTS seatgate_sessions (
  token_hash TEXT PRIMARY KEY NOT NULL CHECK (length(token_hash) = 64),
  user_id TEXT NOT NULL,
  active_organization_id TEXT,
  expires_at INTEGER NOT NULL,
  last_active_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_sessions_active_organization ON seatgate_sessions (active_organization_id, user_id);
CREATE INDEX IF NOT EXISTS seatgate_sessions_user ON seatgate_sessions (user_id);
CREATE INDEX IF NOT EXISTS seatgate_sessions_expiry ON seatgate_sessions (expires_at);
