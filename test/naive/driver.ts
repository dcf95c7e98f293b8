import { vi } from 'vitest'
import type { Driver } from '../scoreboard/driver.ts'
import { testEnv, newUsers } from '../kit/index.ts'
import { openNaive } from './naive.ts'
import { makeNaiveTables } from './tables.ts'

/** The naive implementation, which claims to be able to do everything. */
export const naiveDriver: Driver = {
  name: 'naive',
  lacks: {},
  prepare: makeNaiveTables,
  open: openNaive,
  async people(count) {
    const ids = await newUsers(count)
    return ids.map((id) => ({ id, email: `${id}@example.com` }))
  },
  async tables(organization) {
    const of = (sql: string) => testEnv.DB.prepare(sql).bind(organization)
    const [members, pending] = await testEnv.DB.batch([
      of(`SELECT user_id, role, status FROM naive_members
        WHERE organization_id = ? AND status <> 'free' AND status <> 'invited'`),
      of(`SELECT id FROM naive_invitations
        WHERE organization_id = ? AND status = 'pending' AND expires_at > ${Date.now()}`),
    ])
    const rows = (members?.results ?? []) as { user_id: string; role: string; status: string }[]
    return {
      members: rows.map((row) => ({
        userId: row.user_id,
        role: row.role,
        active: row.status === 'active',
      })),
      pending: pending?.results.length ?? 0,
    }
  },
  async later(_organization, seconds) {
    vi.setSystemTime(Date.now() + seconds * 1000)
  },
}
