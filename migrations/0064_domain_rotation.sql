CREATE INDEX IF NOT EXISTS organization_domains_rotation ON organization_domains (checked_at) WHERE verified_at IS NOT NULL;
