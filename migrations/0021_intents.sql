CREATE TABLE IF NOT EXISTS intents (
  id TEXT PRIMARY KEY NOT NULL,
  organization_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (length(kind) > 0),
  payload TEXT NOT NULL CHECK (json_valid(payload)),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  due_at INTEGER NOT NULL,
  last_error TEXT,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS intents_due ON intents (due_at);
