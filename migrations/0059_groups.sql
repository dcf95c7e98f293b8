-- The groups of organizations and their members. A group may carry a role, whose permissions its members have besides their own.
CREATE TABLE IF NOT EXISTS seatgate_groups (
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  id TEXT NOT NULL CHECK (length(id) > 0),
  name TEXT NOT NULL CHECK (length(name) > 0),
  name_key TEXT NOT NULL CHECK (length(name_key) > 0),
  role TEXT CHECK (length(role) > 0),
  external_id TEXT CHECK (length(external_id) > 0),
  members INTEGER NOT NULL CHECK (members >= 0),
  version INTEGER NOT NULL CHECK (version > 0),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_groups_name ON seatgate_groups (organization_id, name_key);
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_groups_external_id ON seatgate_groups (organization_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS seatgate_groups_newest ON seatgate_groups (organization_id, created_at, id);
CREATE TABLE IF NOT EXISTS seatgate_group_members (
  organization_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  user_id TEXT NOT NULL CHECK (length(user_id) > 0),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, group_id, user_id),
  FOREIGN KEY (organization_id, group_id) REFERENCES seatgate_groups (organization_id, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_group_members_user ON seatgate_group_members (organization_id, user_id);
