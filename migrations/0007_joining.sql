-- A verified domain belongs to one organization. `mode` says what an address there is good for.
CREATE TABLE IF NOT EXISTS seatgate_organization_domains (
  id TEXT PRIMARY KEY NOT NULL,
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  domain TEXT NOT NULL CHECK (domain = lower(domain) AND length(domain) BETWEEN 3 AND 253),
  mode TEXT NOT NULL DEFAULT 'off' CHECK (mode IN ('off', 'request', 'auto')),
  challenge TEXT NOT NULL CHECK (length(challenge) > 0),
  verified_at INTEGER,
  checked_at INTEGER NOT NULL DEFAULT 0,
  record_missing_since INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_organization_domains_own ON seatgate_organization_domains (organization_id, domain);
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_organization_domains_verified ON seatgate_organization_domains (domain) WHERE verified_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS seatgate_organization_domains_rotation ON seatgate_organization_domains (checked_at) WHERE verified_at IS NOT NULL;

-- `open` waits for a decision, `waiting` for a seat. A `place` in the waitlist is never given twice.
CREATE TABLE IF NOT EXISTS seatgate_join_requests (
  id TEXT PRIMARY KEY NOT NULL,
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  user_id TEXT NOT NULL CHECK (length(user_id) > 0),
  role TEXT NOT NULL CHECK (length(role) > 0),
  path TEXT NOT NULL CHECK (path IN ('domain', 'request')),
  state TEXT NOT NULL CHECK (state IN ('open', 'waiting', 'joined', 'declined', 'withdrawn', 'closed')),
  place INTEGER CHECK (place > 0),
  tried_at INTEGER NOT NULL DEFAULT 0,
  decided_by_id TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK (state <> 'waiting' OR place IS NOT NULL)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_join_requests_pending ON seatgate_join_requests (organization_id, user_id) WHERE state IN ('open', 'waiting');
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_join_requests_place ON seatgate_join_requests (organization_id, place);
CREATE INDEX IF NOT EXISTS seatgate_join_requests_line ON seatgate_join_requests (organization_id, place) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS seatgate_join_requests_tried ON seatgate_join_requests (tried_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS seatgate_join_requests_newest ON seatgate_join_requests (organization_id, created_at, id) WHERE state IN ('open', 'waiting');
CREATE INDEX IF NOT EXISTS seatgate_join_requests_user ON seatgate_join_requests (user_id, created_at, id);
CREATE INDEX IF NOT EXISTS seatgate_join_requests_settled ON seatgate_join_requests (updated_at) WHERE state IN ('joined', 'declined', 'withdrawn', 'closed');

-- People who were removed or suspended by another person: they do not come back by their domain.
CREATE TABLE IF NOT EXISTS seatgate_exclusions (
  id TEXT NOT NULL,
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  user_id TEXT NOT NULL,
  address_length INTEGER,
  salt TEXT CHECK (length(salt) = 64),
  digest TEXT CHECK (length(digest) = 64),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, user_id, id),
  CHECK ((salt IS NULL) = (digest IS NULL) AND (salt IS NULL) = (address_length IS NULL))
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_exclusions_address ON seatgate_exclusions (organization_id, address_length) WHERE address_length IS NOT NULL;
CREATE INDEX IF NOT EXISTS seatgate_exclusions_everywhere ON seatgate_exclusions (user_id);
