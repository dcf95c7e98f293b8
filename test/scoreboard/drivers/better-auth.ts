/**
 * The organization plugin of better-auth on D1, with its documented configuration: the database
 * binding handed over as it is, the bearer plugin for sessions, and `membershipLimit` as a function
 * of the organization that looks the limit up in a table of the host's.
 *
 * @module
 */
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { bearer, organization as organizations } from 'better-auth/plugins'
import { aroundDatabase, type Around } from '../../../bench/meter.ts'
import { testEnv } from '../../kit/index.ts'
import type { Answer, Code, Driver, Invitation, Person, Product } from '../driver.ts'

const NO_SEATS = 'pending invitations hold no seats in it'

const CODES: Readonly<Record<string, Code>> = {
  ORGANIZATION_MEMBERSHIP_LIMIT_REACHED: 'full',
  USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION: 'already_member',
  YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER: 'last_owner',
  YOU_CANNOT_LEAVE_THE_ORGANIZATION_WITHOUT_AN_OWNER: 'last_owner',
  INVITATION_NOT_FOUND: 'gone',
}

export const betterAuthDriver: Driver = {
  name: 'better-auth',
  lacks: {
    heldSeats: NO_SEATS,
    usage: 'it shows no seats in use, and its refusals carry no numbers',
    operationIds: 'it has no idempotency keys',
    transfer: 'it has no transfer of ownership',
    suspension: 'it has no suspended members',
    userDeletion: 'deleting users is not part of its organizations',
    invitationRoles: 'the role of an invitation cannot be changed',
    seatStore: 'it counts members in the database, so there is no separate store that could fail',
  },
  // Its own migrations, and the host's table of plans.
  async prepare() {
    const { runMigrations } = await getMigrations(authOver(testEnv.DB).options)
    await runMigrations()
    await testEnv.DB.prepare(
      'CREATE TABLE IF NOT EXISTS plans (organization_id TEXT PRIMARY KEY, seats TEXT NOT NULL)'
    ).run()
  },
  open,
  async people(count) {
    const people = Array.from({ length: count }, () => {
      const id = crypto.randomUUID().replaceAll('-', '')
      return { id, email: `${id}@example.com` }
    })
    const now = new Date().toISOString()
    const later = new Date(Date.now() + 30 * 24 * 60 * 60 * 1000).toISOString()
    await testEnv.DB.batch([
      testEnv.DB.prepare(
        `INSERT INTO "user" (id, name, email, emailVerified, createdAt, updatedAt)
         SELECT value ->> 'id', 'Ann', value ->> 'email', 1, ?2, ?2 FROM json_each(?1)`
      ).bind(JSON.stringify(people), now),
      // The session's token is the id once more: nobody guesses it here.
      testEnv.DB.prepare(
        `INSERT INTO "session" (id, token, userId, expiresAt, createdAt, updatedAt)
         SELECT value ->> 'id', value ->> 'id', value ->> 'id', ?3, ?2, ?2 FROM json_each(?1)`
      ).bind(JSON.stringify(people), now, later),
    ])
    return people
  },
  async tables(organization) {
    const of = (sql: string) => testEnv.DB.prepare(sql).bind(organization)
    const [members, pending] = await testEnv.DB.batch([
      of('SELECT userId, role FROM member WHERE organizationId = ?'),
      of(`SELECT id FROM invitation WHERE organizationId = ? AND status = 'pending'`),
    ])
    const rows = (members?.results ?? []) as { userId: string; role: string }[]
    return {
      members: rows.map((row) => ({ ...row, active: true })),
      pending: pending?.results.length ?? 0,
    }
  },
  async later() {},
}

function authOver(database: D1Database) {
  return betterAuth({
    database,
    secret: 'a secret for tests, of more than 32 characters',
    baseURL: 'http://localhost',
    logger: { disabled: true },
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    plugins: [
      bearer(),
      organizations({
        requireEmailVerificationOnInvitation: true,
        async membershipLimit(_user, { id }) {
          const row = await database
            .prepare('SELECT seats FROM plans WHERE organization_id = ?')
            .bind(id)
            .first<{ seats: string }>()
          return row === null ? 0 : seatsFrom(row.seats)
        },
      }),
    ],
  })
}

// What a plan's look-up came to, as it was.
const UNSPOKEN: Readonly<Record<string, unknown>> = {
  NaN: Number.NaN,
  Infinity,
  undefined,
}

function seatsFrom(stored: string): number {
  return (stored in UNSPOKEN ? UNSPOKEN[stored] : JSON.parse(stored)) as number
}

function storedSeats(limit: unknown): string {
  return String(limit) in UNSPOKEN ? String(limit) : JSON.stringify(limit)
}

function open(around: Around = (_trip, run) => run()): Product {
  const { api } = authOver(asBinding(aroundDatabase(testEnv.DB, around)))
  const headersOf = ({ id }: Person) => new Headers({ authorization: `Bearer ${id}` })
  const lacking = () => Promise.reject(new Error('The driver says that it lacks this.'))
  return {
    createOrganization: (owner, limit) =>
      attempt(async () => {
        const slug = `t${crypto.randomUUID().replaceAll('-', '')}`
        const created = await api.createOrganization({
          body: { name: 'Test', slug },
          headers: headersOf(owner),
        })
        await setPlan(created.id, limit)
        return created.id
      }),
    // The plan is the host's: what it answers is not better-auth's.
    setLimit: (organization, limit) =>
      attempt(async () => {
        await setPlan(organization, limit)
        const { members } = await betterAuthDriver.tables(organization)
        return { limit, used: members.length, overLimit: members.length > limit }
      }),
    add: (_by, organizationId, { id: userId }, role = 'member') =>
      attempt(() => api.addMember({ body: { userId, organizationId, role: role as 'member' } })),
    remove: (by, organizationId, { email }) =>
      attempt(() =>
        api.removeMember({
          body: { memberIdOrEmail: email, organizationId },
          headers: headersOf(by),
        })
      ),
    leave: (person, organizationId) =>
      attempt(() =>
        api.leaveOrganization({ body: { organizationId }, headers: headersOf(person) })
      ),
    changeRole: (by, organizationId, person, role) =>
      attempt(async () => {
        const memberId = await memberIdOf(organizationId, person)
        return api.updateMemberRole({
          body: { memberId, role, organizationId },
          headers: headersOf(by),
        })
      }),
    invite: (by, organizationId, email, role = 'member') =>
      attempt(async (): Promise<Invitation> => {
        const { id } = await api.createInvitation({
          body: { email, role: role as 'member', organizationId },
          headers: headersOf(by),
        })
        return { id, email, token: id }
      }),
    resend: (by, organizationId, { email }) =>
      attempt(() =>
        api.createInvitation({
          body: { email, role: 'member', organizationId, resend: true },
          headers: headersOf(by),
        })
      ),
    revoke: (by, _organization, { id: invitationId }) =>
      attempt(() => api.cancelInvitation({ body: { invitationId }, headers: headersOf(by) })),
    accept: (person, { id: invitationId }) =>
      attempt(() => api.acceptInvitation({ body: { invitationId }, headers: headersOf(person) })),
    members: (by, organizationId) =>
      attempt(async () => {
        const { members } = await api.listMembers({
          query: { organizationId },
          headers: headersOf(by),
        })
        return members.map(({ userId }) => userId)
      }),
    organizations: (person) =>
      attempt(async () => {
        const listed = await api.listOrganizations({ headers: headersOf(person) })
        return listed.map(({ id }) => id)
      }),
    usage: lacking,
    transfer: lacking,
    suspend: lacking,
    restore: lacking,
    deleteUser: lacking,
    changeInvitationRole: lacking,
    async settled() {},
  }
}

// It takes for D1 what has these three.
function asBinding(database: D1Database): D1Database {
  return Object.assign(database, { exec: (sql: string) => testEnv.DB.exec(sql) })
}

async function setPlan(organization: string, limit: unknown): Promise<void> {
  await testEnv.DB.prepare('INSERT OR REPLACE INTO plans VALUES (?, ?)')
    .bind(organization, storedSeats(limit))
    .run()
}

/** As a client knows it from the list that it shows. */
async function memberIdOf(organization: string, { id }: Person): Promise<string> {
  const row = await testEnv.DB.prepare(
    'SELECT id FROM member WHERE organizationId = ? AND userId = ?'
  )
    .bind(organization, id)
    .first<{ id: string }>()
  return row?.id ?? 'none'
}

async function attempt<T>(act: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await act() }
  } catch (error) {
    const { statusCode, body } = error as { statusCode?: number; body?: { code?: string } }
    const said = body?.code ?? String(error)
    return { ok: false, code: codeOf(statusCode, body?.code), said }
  }
}

function codeOf(status: number | undefined, code = ''): Code {
  if (status === undefined || status >= 500) return 'broken'
  return CODES[code] ?? (status === 401 || status === 403 ? 'forbidden' : 'invalid')
}
