-- How far the trail of an organization was when its seats were last verified after a change.
CREATE TABLE IF NOT EXISTS seatgate_seat_checks (
  organization_id TEXT PRIMARY KEY NOT NULL,
  sequence INTEGER NOT NULL CHECK (sequence >= 0),
  checked_at INTEGER NOT NULL
) WITHOUT ROWID;
