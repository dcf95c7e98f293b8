ALTER TABLE memberships ADD COLUMN suspended_by TEXT CHECK (suspended_by IN ('admin', 'over_limit'));
