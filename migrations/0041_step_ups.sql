-- The sessions whose user has proven again who they are, and until when that counts.
CREATE TABLE IF NOT EXISTS seatgate_step_ups (
  session_id TEXT PRIMARY KEY NOT NULL CHECK (length(session_id) > 0),
  user_id TEXT NOT NULL,
  fresh_until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_step_ups_fresh_until ON seatgate_step_ups (fresh_until);
