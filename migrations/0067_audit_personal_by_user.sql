-- The personal data of an event stand under the user to whom they belong, and need no index by user. Code of before
-- writes NULL for no user. A row of before goes to the user of each event that names it. The first table is there
-- unless an apply has stopped behind its DROP.
CREATE TABLE IF NOT EXISTS seatgate_audit_personal (organization_id, digest, user_id, salt, ip_address, user_agent);
CREATE TABLE IF NOT EXISTS seatgate_audit_personal_by_user (
  user_id TEXT NOT NULL ON CONFLICT REPLACE DEFAULT '',
  organization_id TEXT NOT NULL,
  digest TEXT NOT NULL CHECK (length(digest) = 64),
  salt TEXT NOT NULL CHECK (length(salt) = 64),
  ip_address TEXT CHECK (length(ip_address) <= 64),
  user_agent TEXT CHECK (length(user_agent) <= 512),
  PRIMARY KEY (user_id, organization_id, digest)
) WITHOUT ROWID;
INSERT OR IGNORE INTO seatgate_audit_personal_by_user (user_id, organization_id, digest, salt, ip_address, user_agent)
SELECT coalesce(event.actor_id, event.effective_user_id, ''), event.organization_id, event.personal_digest, personal.salt, personal.ip_address, personal.user_agent
FROM seatgate_audit_events AS event
JOIN seatgate_audit_personal AS personal ON personal.organization_id = event.organization_id AND personal.digest = event.personal_digest;
DROP TABLE IF EXISTS seatgate_audit_personal;
ALTER TABLE seatgate_audit_personal_by_user RENAME TO seatgate_audit_personal;
