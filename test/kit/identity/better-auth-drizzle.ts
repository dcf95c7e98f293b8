/**
 * The tables of better-auth as its generator for Drizzle writes them, under other names.
 *
 * @module
 */
import { betterAuth as createAuth } from 'better-auth'
import { drizzleAdapter } from 'better-auth/adapters/drizzle'
import { drizzle } from 'drizzle-orm/d1'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { seatgateRouter } from '../../../src/hono/index.ts'
import { betterAuth, type BetterAuthTables } from '../../../src/identity/index.ts'
import { createSeatgate, d1Seats, type Seatgate } from '../../../src/index.ts'
import { testEnv } from '../index.ts'
import { database, URL_OF_APP } from './better-auth-app.ts'

const user = sqliteTable('app_users', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  email: text('email').notNull(),
  emailVerified: integer('email_verified', { mode: 'boolean' }).notNull(),
  image: text('image'),
  createdAt: integer('created_at', { mode: 'timestamp' }).notNull(),
  updatedAt: integer('updated_at', { mode: 'timestamp' }).notNull(),
})
const session = sqliteTable('app_sessions', {
  id: text('id').primaryKey(),
  expiresAt: integer('expires_at', { mode: 'timestamp' }).notNull(),
  token: text('token').notNull(),
  createdAt: integer('created_at', { mode: 'timestamp' }).notNull(),
  updatedAt: integer('updated_at', { mode: 'timestamp' }).notNull(),
  ipAddress: text('ip_address'),
  userAgent: text('user_agent'),
  userId: text('user_id').notNull(),
})
const account = sqliteTable('app_accounts', {
  id: text('id').primaryKey(),
  accountId: text('account_id').notNull(),
  providerId: text('provider_id').notNull(),
  userId: text('user_id').notNull(),
  accessToken: text('access_token'),
  refreshToken: text('refresh_token'),
  idToken: text('id_token'),
  accessTokenExpiresAt: integer('access_token_expires_at', { mode: 'timestamp' }),
  refreshTokenExpiresAt: integer('refresh_token_expires_at', { mode: 'timestamp' }),
  scope: text('scope'),
  password: text('password'),
  createdAt: integer('created_at', { mode: 'timestamp' }).notNull(),
  updatedAt: integer('updated_at', { mode: 'timestamp' }).notNull(),
})
const verification = sqliteTable('app_verifications', {
  id: text('id').primaryKey(),
  identifier: text('identifier').notNull(),
  value: text('value').notNull(),
  expiresAt: integer('expires_at', { mode: 'timestamp' }).notNull(),
  createdAt: integer('created_at', { mode: 'timestamp' }).notNull(),
  updatedAt: integer('updated_at', { mode: 'timestamp' }).notNull(),
})
const TABLES = [
  `create table app_users (id text primary key, name text, email text, email_verified integer,
    image text, created_at integer, updated_at integer)`,
  `create table app_sessions (id text primary key, expires_at integer, token text, created_at integer,
    updated_at integer, ip_address text, user_agent text, user_id text)`,
  `create table app_accounts (id text primary key, account_id text, provider_id text, user_id text,
    access_token text, refresh_token text, id_token text, access_token_expires_at integer,
    refresh_token_expires_at integer, scope text, password text, created_at integer, updated_at integer)`,
  `create table app_verifications (id text primary key, identifier text, value text, expires_at integer,
    created_at integer, updated_at integer)`,
]

/** better-auth on these tables, and the routes for its users. */
export async function drizzleApp() {
  await testEnv.DB.batch(TABLES.map((table) => testEnv.DB.prepare(table)))
  const auth = createAuth({
    database: drizzleAdapter(drizzle(testEnv.DB), {
      provider: 'sqlite',
      schema: { user, session, account, verification },
    }),
    secret: 'a secret of the test, 32 characters long',
    baseURL: URL_OF_APP,
    emailAndPassword: { enabled: true },
  })
  const tables: BetterAuthTables = { user, session, account }
  const { authenticate, sessions, onDelete, ...identity } = betterAuth(auth, { database, tables })
  const seatgate = createSeatgate({
    database,
    seats: d1Seats(),
    sessions,
    identity,
    hooks: { onDelete },
  })
  const routes = seatgateRouter(seatgate as unknown as Seatgate, { authenticate })
  return { auth, sessions, routes }
}
