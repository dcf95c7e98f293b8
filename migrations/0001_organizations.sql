CREATE TABLE IF NOT EXISTS organizations (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  slug TEXT NOT NULL CHECK (slug = lower(slug) AND length(slug) > 0),
  owner_user_id TEXT NOT NULL,
  deleted_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS organizations_live_slug ON organizations (slug) WHERE deleted_at IS NULL;

CREATE TABLE IF NOT EXISTS memberships (
  id TEXT PRIMARY KEY NOT NULL,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  user_id TEXT NOT NULL CHECK (length(user_id) > 0),
  role TEXT NOT NULL CHECK (length(role) > 0),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  seat_id TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK (status = 'active' OR seat_id IS NULL)
);
CREATE UNIQUE INDEX IF NOT EXISTS memberships_organization_user ON memberships (organization_id, user_id);
CREATE UNIQUE INDEX IF NOT EXISTS memberships_seat ON memberships (seat_id);
CREATE INDEX IF NOT EXISTS memberships_organization_newest ON memberships (organization_id, created_at, id);
CREATE INDEX IF NOT EXISTS memberships_organization_role ON memberships (organization_id, role, status);
CREATE INDEX IF NOT EXISTS memberships_user_newest ON memberships (user_id, created_at, id);
