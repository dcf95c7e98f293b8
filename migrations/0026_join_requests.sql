CREATE TABLE IF NOT EXISTS join_requests (
  id TEXT PRIMARY KEY NOT NULL,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
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
);
CREATE UNIQUE INDEX IF NOT EXISTS join_requests_pending ON join_requests (organization_id, user_id) WHERE state IN ('open', 'waiting');
CREATE UNIQUE INDEX IF NOT EXISTS join_requests_place ON join_requests (organization_id, place);
CREATE INDEX IF NOT EXISTS join_requests_line ON join_requests (organization_id, place) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS join_requests_tried ON join_requests (tried_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS join_requests_newest ON join_requests (organization_id, created_at, id) WHERE state IN ('open', 'waiting');
CREATE INDEX IF NOT EXISTS join_requests_user ON join_requests (user_id, created_at, id);
