-- The number of seats of each type beside the default one, of organizations that have any. Triggers write it.
CREATE TABLE IF NOT EXISTS seatgate_seat_type_counts (
  organization_id TEXT NOT NULL,
  seat_type TEXT NOT NULL CHECK (length(seat_type) > 0),
  seats INTEGER NOT NULL CHECK (seats >= 0),
  PRIMARY KEY (organization_id, seat_type)
) WITHOUT ROWID;
