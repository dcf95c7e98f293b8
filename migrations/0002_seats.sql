-- What an organization bought. Only a higher `version` replaces a row.
CREATE TABLE IF NOT EXISTS seatgate_entitlements (
  organization_id TEXT PRIMARY KEY NOT NULL REFERENCES seatgate_organizations (id),
  version INTEGER NOT NULL CHECK (version > 0),
  limit_kind TEXT NOT NULL CHECK (limit_kind IN ('finite', 'unlimited', 'unknown')),
  limit_seats INTEGER CHECK (limit_seats >= 0),
  reason TEXT,
  updated_at INTEGER NOT NULL,
  CHECK ((limit_kind = 'finite') = (limit_seats IS NOT NULL))
) WITHOUT ROWID;

-- Which ledger is in force. A write that was admitted under another epoch is refused, and so is one whose seat
-- was granted up to `fenced_through`.
CREATE TABLE IF NOT EXISTS seatgate_seat_ledgers (
  organization_id TEXT PRIMARY KEY NOT NULL,
  epoch INTEGER NOT NULL CHECK (epoch > 0),
  fenced_through INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Seats that were given up: a late write that carries one is refused.
CREATE TABLE IF NOT EXISTS seatgate_seat_fences (
  seat_id TEXT PRIMARY KEY NOT NULL,
  organization_id TEXT NOT NULL,
  fenced_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_seat_fences_fenced ON seatgate_seat_fences (fenced_at, seat_id);
