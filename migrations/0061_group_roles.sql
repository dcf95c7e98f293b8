-- The roles that the groups of a member carry: a JSON list of their names. Null: no group carries one.
ALTER TABLE seatgate_memberships ADD COLUMN group_roles TEXT CHECK (json_valid(group_roles));
