import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** The reference host's users. Addresses are lower-case; the password hash carries its parameters. */
export const users = sqliteTable('users', {
  id: text('id').primaryKey(),
  email: text('email').notNull(),
  name: text('name'),
  passwordHash: text('password_hash').notNull(),
  signUpKey: text('sign_up_key'),
  /** Set once it is known that the user reads the mail of their address. */
  emailVerifiedAt: integer('email_verified_at', { mode: 'timestamp_ms' }),
  createdAt: integer('created_at', { mode: 'timestamp_ms' }).notNull(),
})
