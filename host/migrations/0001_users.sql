CREATE TABLE IF NOT EXISTS users (
  id TEXT PRIMARY KEY NOT NULL,
  email TEXT NOT NULL CHECK (email = lower(email)),
  name TEXT,
  email_verified_at INTEGER,
  password_hash TEXT NOT NULL,
  sign_up_key TEXT,
  created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS users_email ON users (email);
