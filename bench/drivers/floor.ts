import { createHash } from 'node:crypto'
import { FLOOR_TABLES } from '../apps/floor-tables.ts'
import type { Stage } from '../stage.ts'
import { insert, must, newPeople, type Driver, type Organization, type People } from './driver.ts'

let organizations = 0

/** Drives the hand-written floor. */
export const floorDriver: Driver = {
  async prepare({ database }) {
    for (const table of FLOOR_TABLES) await database.prepare(table).run()
  },
  people,
  async organization(stage, { members, full = false }) {
    const id = `organization-${++organizations}`
    const everyone = await people(stage, members)
    const limit = full ? members : 1_000_000
    const row = { id, name: 'Bench', seat_limit: limit, seats: members, sequence: 0 }
    await insert(stage, 'organizations', [row])
    const rows = everyone.map((person, index) => ({
      organization_id: id,
      user_id: person.id,
      role: index === 0 ? 'owner' : 'member',
      created_at: 1,
    }))
    await insert(stage, 'members', rows)
    return { id, slug: id, owner: everyone[0] }
  },
  adding: (at, userId) => adding(at, userId, 201),
  acts: {
    'read organization': async (_stage, { id, owner: { token } }) => ({
      path: `/organizations/${id}/read`,
      token,
      status: 200,
    }),
    'list 50 members': async (_stage, { id, owner: { token } }) => ({
      path: `/organizations/${id}/members`,
      token,
      status: 200,
    }),
    'add member': async (_stage, at) => adding(at, newPeople(1)[0].id, 201),
    'refused add at the limit': async (_stage, at) => adding(at, newPeople(1)[0].id, 409),
    'change role': async (stage, at) => ({
      path: `/organizations/${at.id}/members/${await added(stage, at)}`,
      method: 'PATCH',
      token: at.owner.token,
      body: { role: 'admin' },
      status: 200,
    }),
    'remove member': async (stage, at) => ({
      path: `/organizations/${at.id}/members/${await added(stage, at)}`,
      method: 'DELETE',
      token: at.owner.token,
      status: 204,
    }),
  },
}

async function people(stage: Stage, count: number): Promise<People> {
  const made = newPeople(count)
  const sessions = made.map(({ id, token }) => ({
    token_hash: createHash('sha256').update(token).digest('hex'),
    user_id: id,
    expires_at: Date.now() + 30 * 24 * 60 * 60 * 1000,
  }))
  await insert(stage, 'sessions', sessions)
  return made
}

const adding = ({ id, owner: { token } }: Organization, userId: string, status: number) => ({
  path: `/organizations/${id}/members`,
  method: 'POST',
  token,
  body: { userId },
  status,
})

async function added(stage: Stage, at: Organization): Promise<string> {
  const { id } = newPeople(1)[0]
  await must(stage, adding(at, id, 201))
  return id
}
