CREATE TABLE IF NOT EXISTS member_counts (
  organization_id TEXT PRIMARY KEY NOT NULL,
  active INTEGER NOT NULL CHECK (active >= 0),
  suspended INTEGER NOT NULL CHECK (suspended >= 0),
  seats INTEGER NOT NULL CHECK (seats >= 0)
) WITHOUT ROWID;
INSERT OR IGNORE INTO member_counts SELECT organization_id, sum(status = 'active'), sum(status = 'suspended'), count(seat_id) FROM memberships GROUP BY organization_id;
