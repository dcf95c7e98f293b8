-- The numbers that an operator sets in place of those of the subscriptions. -1 is unlimited, -2 is unknown, null
-- leaves the number as it is.
CREATE TABLE IF NOT EXISTS seatgate_entitlement_overrides (
  organization_id TEXT PRIMARY KEY NOT NULL REFERENCES seatgate_organizations (id),
  included INTEGER CHECK (included >= -2),
  purchased INTEGER CHECK (purchased >= 0),
  add_ons INTEGER CHECK (add_ons >= 0),
  cap INTEGER CHECK (cap >= -1),
  ends_at INTEGER,
  reason TEXT,
  actor_id TEXT,
  set_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Subscriptions at a provider, as far as seats depend on them. A quantity that is no whole number is null.
CREATE TABLE IF NOT EXISTS seatgate_subscriptions (
  provider TEXT NOT NULL CHECK (length(provider) > 0),
  subscription_id TEXT NOT NULL CHECK (length(subscription_id) > 0),
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  customer_id TEXT,
  plan TEXT,
  status TEXT NOT NULL CHECK (status IN ('trialing', 'active', 'past_due', 'unpaid', 'canceled', 'incomplete', 'incomplete_expired', 'paused')),
  quantity INTEGER CHECK (quantity >= 0),
  add_ons INTEGER CHECK (add_ons >= 0),
  current_period_end INTEGER,
  trial_end INTEGER,
  cancel_at INTEGER,
  ended_at INTEGER,
  paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
  paused_until INTEGER,
  past_due_since INTEGER,
  grace_end INTEGER,
  provider_time INTEGER,
  version INTEGER NOT NULL CHECK (version > 0),
  synced_at INTEGER NOT NULL,
  PRIMARY KEY (provider, subscription_id),
  CHECK ((status IN ('past_due', 'unpaid')) = (past_due_since IS NOT NULL)),
  CHECK (grace_end IS NULL OR past_due_since IS NOT NULL)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_subscriptions_organization ON seatgate_subscriptions (organization_id);

-- One row for each organization whose limit is computed. Every change of what it is computed from raises the
-- revision. At due_at the clock makes something due.
CREATE TABLE IF NOT EXISTS seatgate_entitlement_states (
  organization_id TEXT PRIMARY KEY NOT NULL REFERENCES seatgate_organizations (id),
  revision INTEGER NOT NULL CHECK (revision > 0),
  unknown_since INTEGER,
  over_since INTEGER,
  over_grace_end INTEGER,
  notice TEXT NOT NULL DEFAULT 'none' CHECK (notice IN ('none', 'near', 'full', 'over', 'grace_ending')),
  due_at INTEGER,
  CHECK (over_grace_end IS NULL OR over_since IS NOT NULL)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_entitlement_states_due ON seatgate_entitlement_states (due_at) WHERE due_at IS NOT NULL;
