-- A row with `deleted_at` is gone for every reader, and its slug is free again. `owner_user_id` is the founder
-- and never changes: the memberships say who owns the organization now.
CREATE TABLE IF NOT EXISTS seatgate_organizations (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  slug TEXT NOT NULL CHECK (slug = lower(slug) AND length(slug) > 0),
  owner_user_id TEXT NOT NULL,
  personal INTEGER NOT NULL DEFAULT 0 CHECK (personal IN (0, 1)),
  enforce_mfa_for_members INTEGER NOT NULL DEFAULT 0 CHECK (enforce_mfa_for_members IN (0, 1)),
  deleted_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_organizations_live_slug ON seatgate_organizations (slug) WHERE deleted_at IS NULL;

-- Former slugs. Until they expire they lead members to the present one.
CREATE TABLE IF NOT EXISTS seatgate_organization_slug_aliases (
  old_slug TEXT PRIMARY KEY NOT NULL CHECK (old_slug = lower(old_slug) AND length(old_slug) > 0),
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_organization_slug_aliases_organization ON seatgate_organization_slug_aliases (organization_id);
CREATE INDEX IF NOT EXISTS seatgate_organization_slug_aliases_expiry ON seatgate_organization_slug_aliases (expires_at);

-- `seat_id` is null exactly while the member takes no seat.
CREATE TABLE IF NOT EXISTS seatgate_memberships (
  id TEXT NOT NULL,
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  user_id TEXT NOT NULL CHECK (length(user_id) > 0),
  role TEXT NOT NULL CHECK (length(role) > 0),
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  suspended_by TEXT CHECK (suspended_by IN ('admin', 'over_limit')),
  seat_id TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, user_id),
  CHECK (status = 'active' OR seat_id IS NULL)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_memberships_seat ON seatgate_memberships (seat_id);
CREATE INDEX IF NOT EXISTS seatgate_memberships_organization_newest ON seatgate_memberships (organization_id, created_at, id);
CREATE INDEX IF NOT EXISTS seatgate_memberships_organization_role ON seatgate_memberships (organization_id, role, status) WHERE role <> 'member';
CREATE INDEX IF NOT EXISTS seatgate_memberships_user_newest ON seatgate_memberships (user_id, created_at, id);

-- Triggers keep the counts, so that counting members reads one row. Nothing else writes here.
CREATE TABLE IF NOT EXISTS seatgate_member_counts (
  organization_id TEXT PRIMARY KEY NOT NULL,
  active INTEGER NOT NULL CHECK (active >= 0),
  suspended INTEGER NOT NULL CHECK (suspended >= 0),
  seats INTEGER NOT NULL CHECK (seats >= 0)
) WITHOUT ROWID;
