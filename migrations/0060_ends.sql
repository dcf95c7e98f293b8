CREATE INDEX IF NOT EXISTS operations_created ON operations (created_at);
CREATE INDEX IF NOT EXISTS sessions_expiry ON sessions (expires_at);
CREATE INDEX IF NOT EXISTS seat_fences_fenced ON seat_fences (fenced_at, seat_id);
CREATE INDEX IF NOT EXISTS join_requests_settled ON join_requests (updated_at) WHERE state IN ('joined', 'declined', 'withdrawn', 'closed');
