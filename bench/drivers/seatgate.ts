import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stage } from '../stage.ts'
import {
  insert,
  must,
  newPeople,
  newSlug,
  type Driver,
  type Organization,
  type People,
  type Person,
} from './driver.ts'

/** Drives all of the library's routes, with the migrations of a checkout of it. */
export function seatgateDriver(library: string): Driver {
  return {
    async prepare(stage) {
      const { database } = stage
      for (const folder of [join(library, 'host/migrations'), join(library, 'migrations')]) {
        for (const name of readdirSync(folder).sort()) {
          const sql = readFileSync(join(folder, name), 'utf8')
          for (const statement of statementsOf(sql)) await database.prepare(statement).run()
        }
      }
      await admit(stage, [OPERATOR])
    },
    people,
    organization,
    adding: (at, userId) => adding(at, userId, 201),
    acts: {
      'read organization': async (_stage, { slug, owner: { token } }) => ({
        path: `/organizations/${slug}`,
        token,
        status: 200,
      }),
      'list 50 members': async (_stage, { slug, owner: { token } }) => ({
        path: `/organizations/${slug}/members?limit=50`,
        token,
        status: 200,
      }),
      'list my organizations (20)': async (stage) => {
        const [{ token }] = await people(stage, 1)
        for (let count = 0; count < 20; count++) await create(stage, token, newSlug())
        return { path: '/organizations?limit=20', token, status: 200 }
      },
      'audit, newest 50': async (_stage, { slug, owner: { token } }) => ({
        path: `/organizations/${slug}/audit?limit=50`,
        token,
        status: 200,
      }),
      'add member': async (stage, at) => adding(at, await stranger(stage), 201),
      'refused add at the limit': async (stage, at) => adding(at, await stranger(stage), 409),
      invite: async (_stage, at) => inviting(at, newPeople(1)[0].email),
      'accept invitation': async (stage, at) => {
        const [guest] = await people(stage, 1)
        const { token } = await must(stage, inviting(at, guest.email))
        return {
          path: '/invitations/accept',
          method: 'POST',
          token: guest.token,
          body: { token },
          status: 200,
        }
      },
      'change role': async (stage, at) => ({
        path: `/organizations/${at.slug}/members/${await added(stage, at)}`,
        method: 'PATCH',
        token: at.owner.token,
        body: { role: 'admin' },
        status: 200,
      }),
      'remove member': async (stage, at) => ({
        path: `/organizations/${at.slug}/members/${await added(stage, at)}`,
        method: 'DELETE',
        token: at.owner.token,
        status: 204,
      }),
      'create organization': async (stage) => {
        const [{ token }] = await people(stage, 1)
        return creating(token, newSlug())
      },
    },
  }
}

// A trigger ends with END; and is a statement of its own.
function statementsOf(sql: string): string[] {
  const text = sql.replaceAll(/^--.*$/gm, '')
  return (text.match(/CREATE TRIGGER[^]*?END;|[^;]+;/g) ?? [])
    .map((statement) => statement.trim())
    .filter((statement) => statement.length > 1)
}

const OPERATOR: Person = {
  id: 'operator',
  email: 'operator@bench.test',
  token: 'token-of-the-operator',
}

async function people(stage: Stage, count: number): Promise<People> {
  const made = newPeople(count)
  await admit(stage, made)
  return made
}

// Users with a session each.
async function admit(stage: Stage, made: readonly Person[]): Promise<void> {
  const now = Date.now()
  const users = made.map(({ id, email }) => ({ id, email, password_hash: '-', created_at: now }))
  await insert(stage, 'users', users)
  const sessions = made.map(({ id, token }) => ({
    token_hash: createHash('sha256').update(token).digest('hex'),
    user_id: id,
    expires_at: now + 30 * 24 * 60 * 60 * 1000,
    last_active_at: now,
    created_at: now,
  }))
  await insert(stage, 'seatgate_sessions', sessions)
}

const creating = (token: string, slug: string) => ({
  path: '/organizations',
  method: 'POST',
  token,
  body: { name: 'Bench', slug },
  status: 201,
})

const create = (stage: Stage, token: string, slug: string) => must(stage, creating(token, slug))

const adding = ({ slug, owner: { token } }: Organization, userId: string, status: number) => ({
  path: `/organizations/${slug}/members`,
  method: 'POST',
  token,
  body: { userId, role: 'member' },
  status,
})

const inviting = ({ slug, owner: { token } }: Organization, email: string) => ({
  path: `/organizations/${slug}/invitations`,
  method: 'POST',
  token,
  body: { email, role: 'member' },
  status: 201,
})

async function stranger(stage: Stage): Promise<string> {
  const [person] = await people(stage, 1)
  return person.id
}

async function added(stage: Stage, at: Organization): Promise<string> {
  const userId = await stranger(stage)
  await must(stage, adding(at, userId, 201))
  return userId
}

// The library founds it; further members are copies of the founder's row.
async function organization(
  stage: Stage,
  { members, full = false }: { readonly members: number; readonly full?: boolean }
): Promise<Organization> {
  const [owner] = await people(stage, 1)
  const slug = newSlug(full ? members : null)
  const { id } = (await create(stage, owner.token, slug)) as { id: string }
  const row = await stage.database
    .prepare('SELECT * FROM seatgate_memberships WHERE organization_id = ?')
    .bind(id)
    .first<Record<string, unknown>>()
  const others = await people(stage, members - 1)
  const copies = others.map(({ id: userId }, index) => ({
    ...row,
    ...(row !== null && 'id' in row && { id: `${id}-${index}` }),
    user_id: userId,
    seat_id: `seat-${id}-${index}`,
    role: 'member',
  }))
  await insert(stage, 'seatgate_memberships', copies)
  if (full) {
    const { token } = OPERATOR
    await must(stage, {
      path: `/organizations/${slug}/seats/limit`,
      method: 'PUT',
      token,
      body: { limit: members },
      status: 200,
    })
  }
  return { id, slug, owner }
}
