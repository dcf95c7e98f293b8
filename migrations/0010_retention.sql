-- Ranges of events that retention has purged. A trigger lets in only a range that a checkpoint covers.
CREATE TABLE IF NOT EXISTS seatgate_audit_purges (
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

-- Seats whose assignment was purged while they are still assigned.
CREATE TABLE IF NOT EXISTS seatgate_audit_carried_seats (
  organization_id TEXT NOT NULL,
  seat_id TEXT NOT NULL,
  invitation_id TEXT,
  expires_at TEXT,
  PRIMARY KEY (organization_id, seat_id)
) WITHOUT ROWID;

-- When retention looks at a trail next, and whether it is on legal hold.
CREATE TABLE IF NOT EXISTS seatgate_audit_retention (
  organization_id TEXT PRIMARY KEY NOT NULL,
  due_at INTEGER NOT NULL,
  held_at INTEGER,
  held_reason TEXT,
  CHECK ((held_at IS NULL) = (held_reason IS NULL))
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_audit_retention_due ON seatgate_audit_retention (due_at);
