CREATE TABLE IF NOT EXISTS entitlements (
  organization_id TEXT PRIMARY KEY NOT NULL REFERENCES organizations (id),
  version INTEGER NOT NULL CHECK (version > 0),
  limit_kind TEXT NOT NULL CHECK (limit_kind IN ('finite', 'unlimited', 'unknown')),
  limit_seats INTEGER CHECK (limit_seats >= 0),
  reason TEXT,
  updated_at INTEGER NOT NULL,
  CHECK ((limit_kind = 'finite') = (limit_seats IS NOT NULL))
);

CREATE TABLE IF NOT EXISTS seat_ledgers (
  organization_id TEXT PRIMARY KEY NOT NULL,
  epoch INTEGER NOT NULL CHECK (epoch > 0)
);

CREATE TABLE IF NOT EXISTS seat_fences (
  seat_id TEXT PRIMARY KEY NOT NULL,
  organization_id TEXT NOT NULL,
  fenced_at INTEGER NOT NULL
);
