CREATE TABLE IF NOT EXISTS operations (
  actor_id TEXT NOT NULL,
  id TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 255),
  digest TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (json_valid(outcome)),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (actor_id, id)
) WITHOUT ROWID;
