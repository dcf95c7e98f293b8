/** The tables of the floor. */
export const FLOOR_TABLES = [
  'CREATE TABLE sessions (token_hash TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID',
  `CREATE TABLE organizations (id TEXT PRIMARY KEY, name TEXT NOT NULL, seat_limit INTEGER NOT NULL,
   seats INTEGER NOT NULL CHECK (seats <= seat_limit), sequence INTEGER NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE members (organization_id TEXT NOT NULL, user_id TEXT NOT NULL, role TEXT NOT NULL,
   created_at INTEGER NOT NULL, PRIMARY KEY (organization_id, user_id)) WITHOUT ROWID`,
  'CREATE INDEX members_user ON members (user_id)',
  `CREATE TABLE events (organization_id TEXT NOT NULL, sequence INTEGER NOT NULL, action TEXT NOT NULL,
   actor TEXT NOT NULL, target TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (organization_id, sequence)) WITHOUT ROWID`,
]
