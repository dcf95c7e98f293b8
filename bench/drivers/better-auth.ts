import { getMigrations } from 'better-auth/db/migration'
import { auth } from '../apps/better-auth.ts'
import type { Stage } from '../stage.ts'
import {
  insert,
  must,
  newPeople,
  newSlug,
  type Act,
  type Driver,
  type Organization,
  type People,
} from './driver.ts'

const API = '/api/auth/organization'

/** Drives the routes of better-auth's organization plugin. */
export const betterAuthDriver: Driver = {
  async prepare({ database }) {
    const { runMigrations } = await getMigrations(auth({ DB: database }).options)
    await runMigrations()
  },
  people,
  async organization(stage, { members, full = false }) {
    const everyone = await people(stage, members)
    const [owner] = everyone
    const slug = newSlug(full ? members : null)
    const { id } = (await must(stage, creating(owner.token, slug))) as { id: string }
    const rows = everyone.slice(1).map((person) => ({
      id: `member-${person.id}`,
      organizationId: id,
      userId: person.id,
      role: 'member',
      createdAt: new Date().toISOString(),
    }))
    if (rows.length > 0) await insert(stage, 'member', rows)
    return { id, slug, owner }
  },
  adding: (at, userId) => adding(at, userId, 201),
  acts: {
    'read organization': async (_stage, at) => read(at, 'get-organization'),
    'list 50 members': async (_stage, at) => read(at, 'list-members', '&limit=50'),
    'list my organizations (20)': async (stage) => {
      const [{ token }] = await people(stage, 1)
      for (let count = 0; count < 20; count++) await must(stage, creating(token, newSlug()))
      return { path: `${API}/list`, token, status: 200 }
    },
    'add member': async (stage, at) => adding(at, await stranger(stage), 201),
    'refused add at the limit': async (stage, at) => adding(at, await stranger(stage), 403),
    invite: async (_stage, at) => inviting(at, newPeople(1)[0].email),
    'accept invitation': async (stage, at) => {
      const [guest] = await people(stage, 1)
      const { id } = await must(stage, inviting(at, guest.email))
      return writing(guest.token, 'accept-invitation', { invitationId: id })
    },
    'change role': async (stage, at) =>
      writing(at.owner.token, 'update-member-role', {
        memberId: await added(stage, at),
        organizationId: at.id,
        role: 'admin',
      }),
    'remove member': async (stage, at) =>
      writing(at.owner.token, 'remove-member', {
        memberIdOrEmail: await added(stage, at),
        organizationId: at.id,
      }),
    'create organization': async (stage) => {
      const [{ token }] = await people(stage, 1)
      return creating(token, newSlug())
    },
  },
}

async function people(stage: Stage, count: number): Promise<People> {
  const made = newPeople(count)
  const now = new Date().toISOString()
  const expiresAt = new Date(Date.now() + 30 * 24 * 60 * 60 * 1000).toISOString()
  const dates = { createdAt: now, updatedAt: now }
  const users = made.map(({ id, email }) => ({
    id,
    name: 'Ann',
    email,
    emailVerified: 1,
    ...dates,
  }))
  await insert(stage, 'user', users)
  const sessions = made.map(({ id, token }) => ({ id, token, userId: id, expiresAt, ...dates }))
  await insert(stage, 'session', sessions)
  return made
}

const writing = (token: string, name: string, body: object): Act => ({
  path: `${API}/${name}`,
  method: 'POST',
  token,
  body,
  status: 200,
})

const read = ({ id, owner: { token } }: Organization, name: string, more = ''): Act => ({
  path: `${API}/${name}?organizationId=${id}${more}`,
  token,
  status: 200,
})

const creating = (token: string, slug: string) => writing(token, 'create', { name: 'Bench', slug })

const adding = ({ id, owner: { token } }: Organization, userId: string, status: number) => ({
  path: '/members',
  method: 'POST',
  token,
  body: { organizationId: id, userId },
  status,
})

const inviting = ({ id, owner: { token } }: Organization, email: string) =>
  writing(token, 'invite-member', { email, role: 'member', organizationId: id })

async function stranger(stage: Stage): Promise<string> {
  const [person] = await people(stage, 1)
  return person.id
}

async function added(stage: Stage, at: Organization): Promise<string> {
  const { id } = await must(stage, adding(at, await stranger(stage), 201))
  return String(id)
}
