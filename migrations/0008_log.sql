-- The hashes of the Merkle tree over a trail. They outlive the events that retention purges.
CREATE TABLE IF NOT EXISTS seatgate_audit_nodes (
  organization_id TEXT NOT NULL,
  level INTEGER NOT NULL CHECK (level >= 0),
  position INTEGER NOT NULL CHECK (position >= 0),
  hash TEXT NOT NULL CHECK (length(hash) = 44),
  PRIMARY KEY (organization_id, level, position)
) WITHOUT ROWID;

-- Signed roots of the tree.
CREATE TABLE IF NOT EXISTS seatgate_audit_checkpoints (
  organization_id TEXT NOT NULL,
  size INTEGER NOT NULL CHECK (size > 0),
  note TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, size)
) WITHOUT ROWID;

-- Up to which size checkpoints were published outside D1.
CREATE TABLE IF NOT EXISTS seatgate_audit_published (
  organization_id TEXT PRIMARY KEY NOT NULL,
  size INTEGER NOT NULL CHECK (size > 0)
) WITHOUT ROWID;
