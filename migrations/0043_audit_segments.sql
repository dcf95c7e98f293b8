-- Segments of trails in the host's bucket. A row is written in the batch that deletes its events.
CREATE TABLE IF NOT EXISTS seatgate_audit_segments (
  organization_id TEXT NOT NULL CHECK (length(organization_id) > 0),
  first_sequence INTEGER NOT NULL CHECK (first_sequence > 0),
  last_sequence INTEGER NOT NULL CHECK (last_sequence >= first_sequence),
  begins_after INTEGER NOT NULL CHECK (begins_after BETWEEN 0 AND first_sequence - 1),
  digest TEXT NOT NULL CHECK (length(digest) = 64),
  bytes INTEGER NOT NULL CHECK (bytes > 0),
  began_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL CHECK (ended_at >= began_at),
  archived_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, last_sequence)
) WITHOUT ROWID;
