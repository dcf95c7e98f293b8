-- The document of an organization's own roles: { name: [permission, …] }. Null: none.
ALTER TABLE seatgate_organizations ADD COLUMN own_roles TEXT CHECK (json_valid(own_roles));
