CREATE TABLE IF NOT EXISTS audit_purges (
  organization_id TEXT NOT NULL,
  first_sequence INTEGER NOT NULL CHECK (first_sequence > 0),
  last_sequence INTEGER NOT NULL CHECK (last_sequence >= first_sequence),
  last_hash TEXT NOT NULL CHECK (length(last_hash) = 44),
  checkpoint_size INTEGER NOT NULL CHECK (checkpoint_size >= last_sequence),
  personal_records INTEGER NOT NULL CHECK (personal_records >= 0),
  dead_letters INTEGER NOT NULL CHECK (dead_letters >= 0),
  forced INTEGER NOT NULL CHECK (forced IN (0, 1)),
  lifecycle TEXT,
  seat_limit TEXT,
  started_at INTEGER NOT NULL,
  milliseconds INTEGER CHECK (milliseconds >= 0),
  PRIMARY KEY (organization_id, last_sequence)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS audit_carried_seats (
  organization_id TEXT NOT NULL,
  seat_id TEXT NOT NULL,
  invitation_id TEXT,
  expires_at TEXT,
  PRIMARY KEY (organization_id, seat_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS audit_retention (
  organization_id TEXT PRIMARY KEY NOT NULL,
  due_at INTEGER NOT NULL,
  held_at INTEGER,
  held_reason TEXT,
  CHECK ((held_at IS NULL) = (held_reason IS NULL))
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS audit_retention_due ON audit_retention (due_at);
INSERT OR IGNORE INTO audit_retention (organization_id, due_at) SELECT organization_id, inserted_at FROM audit_events WHERE sequence = 1;
