import { testEnv } from '../kit/index.ts'

const TABLES = [
  `CREATE TABLE IF NOT EXISTS naive_organizations (
    id TEXT PRIMARY KEY, plan_limit, billing TEXT NOT NULL, over_limit INTEGER NOT NULL DEFAULT 0)`,
  `CREATE TABLE IF NOT EXISTS naive_members (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL, user_id TEXT NOT NULL, role TEXT NOT NULL,
    status TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS naive_invitations (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL, email TEXT NOT NULL, role TEXT NOT NULL,
    status TEXT NOT NULL, expires_at INTEGER NOT NULL)`,
  'CREATE TABLE IF NOT EXISTS naive_counters (organization_id TEXT PRIMARY KEY)',
  'CREATE TABLE IF NOT EXISTS naive_operations (id TEXT PRIMARY KEY, member_id TEXT NOT NULL)',
]

/** Makes the tables of the naive implementation, once for each test file. */
export async function makeNaiveTables(): Promise<void> {
  await testEnv.DB.batch(TABLES.map((sql) => testEnv.DB.prepare(sql)))
}
