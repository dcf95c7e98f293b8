CREATE TABLE IF NOT EXISTS sessions (
  token_hash TEXT PRIMARY KEY NOT NULL CHECK (length(token_hash) = 64),
  user_id TEXT NOT NULL,
  active_organization_id TEXT,
  expires_at INTEGER NOT NULL,
  last_active_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_active_organization ON sessions (active_organization_id, user_id);
CREATE INDEX IF NOT EXISTS sessions_user ON sessions (user_id);
