/**
 * Seats as they are written in an afternoon: count, then insert. Every method is plausible, and each
 * has a bug that a product has shipped. It exists to be refuted: a case that it passes shows nothing.
 *
 * @module
 */
import { aroundDatabase, type Around } from '../../bench/meter.ts'
import type { Answer, Code, Invitation, Product, Usage } from '../scoreboard/driver.ts'
import { testEnv } from '../kit/index.ts'

const WEEK_MS = 7 * 24 * 60 * 60 * 1000

class No extends Error {
  readonly code: Code
  readonly numbers: { readonly limit?: number; readonly used?: number }

  constructor(code: Code, numbers: No['numbers'] = {}) {
    super(code)
    this.code = code
    this.numbers = numbers
  }
}

interface Billing {
  seats: number
  usage: number
}

/** Opens the naive implementation; its trips go through `around`. */
export function openNaive(around: Around = (_trip, run) => run()): Product {
  const db = aroundDatabase(testEnv.DB, around)
  const all = async <T>(sql: string, ...values: unknown[]) => {
    const { results } = await db
      .prepare(sql)
      .bind(...values)
      .all<T>()
    return results
  }
  const first = async <T>(sql: string, ...values: unknown[]) => (await all<T>(sql, ...values))[0]
  const count = async (sql: string, ...values: unknown[]) =>
    (await first<{ n: number }>(`SELECT count(*) AS n FROM ${sql}`, ...values))?.n ?? 0

  // MUSEUM-02: members for one door …
  const countMembers = (organization: string) =>
    count(
      `naive_members WHERE organization_id = ? AND status <> 'free' AND status <> 'suspended'`,
      organization
    )
  // … members and invitations for another. MUSEUM-12: nobody asks when they expire.
  const countAll = async (organization: string) =>
    (await countMembers(organization)) +
    (await count(
      `naive_invitations WHERE organization_id = ? AND status = 'pending'`,
      organization
    ))

  async function billingOf(organization: string): Promise<Billing> {
    const row = await first<{ billing: string }>(
      'SELECT billing FROM naive_organizations WHERE id = ?',
      organization
    )
    return JSON.parse(row?.billing ?? '{"seats":0,"usage":0}') as Billing
  }

  async function limitOf(organization: string): Promise<number> {
    try {
      return (await billingOf(organization)).seats
    } catch {
      // MUSEUM-16: not known yet, so not exceeded.
      return Infinity
    }
  }

  // MUSEUM-18: the whole record is written back, with whatever it said when it was read.
  async function recordUsage(organization: string, by: number): Promise<void> {
    const billing = await billingOf(organization)
    await all(
      'UPDATE naive_organizations SET billing = ? WHERE id = ?',
      JSON.stringify({ ...billing, usage: billing.usage + by }),
      organization
    )
  }

  async function lock(organization: string): Promise<void> {
    try {
      await around({ store: 'ledger', asked: [`lock ${organization}`] }, async () => undefined)
    } catch {
      // MUSEUM-30: the lock service is down, and the show must go on.
    }
  }

  // MUSEUM-11: a seat's row is used again by whoever comes next.
  async function insertMember(organization: string, userId: string, role: string, status: string) {
    const free = await first<{ id: string }>(
      `SELECT id FROM naive_members WHERE organization_id = ? AND status = 'free'`,
      organization
    )
    if (free) {
      await all(
        'UPDATE naive_members SET user_id = ?, role = ?, status = ? WHERE id = ?',
        userId,
        role,
        status,
        free.id
      )
    } else {
      await all(
        'INSERT INTO naive_members VALUES (?, ?, ?, ?, ?)',
        crypto.randomUUID(),
        organization,
        userId,
        role,
        status
      )
    }
    await recordUsage(organization, 1)
  }

  const memberOf = (organization: string, userId: string) =>
    first<{ id: string; role: string; status: string }>(
      `SELECT id, role, status FROM naive_members
       WHERE organization_id = ? AND user_id = ? AND status <> 'free'`,
      organization,
      userId
    )

  async function demandMember(organization: string, userId: string) {
    const member = await memberOf(organization, userId)
    if (!member) throw new No('forbidden')
    return member
  }

  // MUSEUM-25, MUSEUM-26: suspended and invited owners count. MUSEUM-22: counted, then written.
  async function demandAnotherOwner(organization: string, userId: string): Promise<void> {
    const member = await demandMember(organization, userId)
    if (member.role !== 'owner') return
    const owners = await count(
      `naive_members WHERE organization_id = ? AND role = 'owner' AND status <> 'free'`,
      organization
    )
    if (owners <= 1) throw new No('last_owner')
  }

  async function free(memberId: string): Promise<void> {
    await all(`UPDATE naive_members SET status = 'free', role = 'member' WHERE id = ?`, memberId)
  }

  async function usage(organization: string): Promise<Usage> {
    const { seats } = await billingOf(organization)
    const row = await first<{ over_limit: number }>(
      'SELECT over_limit FROM naive_organizations WHERE id = ?',
      organization
    )
    return { limit: seats, used: await countAll(organization), overLimit: row?.over_limit === 1 }
  }

  async function openInvitation({ id }: Invitation) {
    const row = await first<{ organization_id: string; role: string; expires_at: number }>(
      `SELECT * FROM naive_invitations WHERE id = ? AND status = 'pending'`,
      id
    )
    if (!row || row.expires_at < Date.now()) throw new No('gone')
    return row
  }

  // MUSEUM-21: seats first, whatever is asked.
  async function demandRoom(organization: string): Promise<void> {
    const [used, limit] = [await countAll(organization), await limitOf(organization)]
    if (used >= limit) throw new No('full', { limit, used })
  }

  return {
    createOrganization: (owner, limit) =>
      attempt(async () => {
        const id = crypto.randomUUID()
        // MUSEUM-14: 0 is no limit, so it is the usual one.
        const seats = Number(limit) || 100
        await all(
          'INSERT INTO naive_organizations (id, plan_limit, billing) VALUES (?, ?, ?)',
          id,
          seats,
          JSON.stringify({ seats, usage: 0 })
        )
        await insertMember(id, owner.id, 'owner', 'active')
        return id
      }),

    setLimit: (organization, limit) =>
      attempt(async () => {
        // MUSEUM-08: it fitted a moment ago.
        const used = await countAll(organization)
        const billing = await billingOf(organization)
        await all(
          'UPDATE naive_organizations SET billing = ?, over_limit = ? WHERE id = ?',
          JSON.stringify({ ...billing, seats: limit }),
          used > limit ? 1 : 0,
          organization
        )
        return { limit, used, overLimit: used > limit }
      }),

    usage: (_by, organization) => attempt(() => usage(organization)),

    add: (by, organization, person, role = 'member') =>
      attempt(async () => {
        await demandMember(organization, by.id)
        await lock(organization)
        if (await memberOf(organization, person.id)) throw new No('already_member')
        const [used, limit] = [await countMembers(organization), await limitOf(organization)]
        if (used >= limit) throw new No('full', { limit, used })
        // MUSEUM-10: whoever comes first makes the record.
        if ((await count('naive_counters WHERE organization_id = ?', organization)) === 0) {
          await all('INSERT INTO naive_counters VALUES (?)', organization)
        }
        await insertMember(organization, person.id, role, 'active')
      }),

    remove: (by, organization, person, operationId) =>
      attempt(async () => {
        const earlier = await first<{ member_id: string }>(
          'SELECT member_id FROM naive_operations WHERE id = ?',
          `${organization} ${operationId}`
        )
        if (earlier) return free(earlier.member_id)
        await demandMember(organization, by.id)
        const member = await demandMember(organization, person.id)
        await demandAnotherOwner(organization, person.id)
        await free(member.id)
        if (operationId !== undefined) {
          await all(
            'INSERT INTO naive_operations VALUES (?, ?)',
            `${organization} ${operationId}`,
            member.id
          )
        }
      }),

    leave: (person, organization) =>
      attempt(async () => {
        await demandAnotherOwner(organization, person.id)
        const { id } = await demandMember(organization, person.id)
        await free(id)
      }),

    changeRole: (by, organization, person, role) =>
      attempt(async () => {
        await demandMember(organization, by.id)
        if (role !== 'owner') await demandAnotherOwner(organization, person.id)
        const { id } = await demandMember(organization, person.id)
        await all('UPDATE naive_members SET role = ? WHERE id = ?', role, id)
      }),

    transfer: (by, organization, to) =>
      attempt(async () => {
        const from = await demandMember(organization, by.id)
        if (from.role !== 'owner') throw new No('forbidden')
        const target = await demandMember(organization, to.id)
        // MUSEUM-27: two statements, and nobody between them.
        await all(`UPDATE naive_members SET role = 'owner' WHERE id = ?`, target.id)
        await all(`UPDATE naive_members SET role = 'admin' WHERE id = ?`, from.id)
      }),

    suspend: (by, organization, person) =>
      attempt(async () => {
        await demandMember(organization, by.id)
        await demandAnotherOwner(organization, person.id)
        const { id } = await demandMember(organization, person.id)
        await all(`UPDATE naive_members SET status = 'suspended' WHERE id = ?`, id)
      }),

    // MUSEUM-13, MUSEUM-20: they have been members before, so nobody asks for seats.
    restore: (by, organization, people) =>
      attempt(async () => {
        await demandMember(organization, by.id)
        for (const { id } of people) {
          const member = await demandMember(organization, id)
          await all(`UPDATE naive_members SET status = 'active' WHERE id = ?`, member.id)
        }
      }),

    // MUSEUM-24: the account is another team's.
    deleteUser: (person) =>
      attempt(async () => {
        await all('DELETE FROM naive_members WHERE user_id = ?', person.id)
      }),

    invite: (by, organization, email, role = 'member') =>
      attempt(async () => {
        await demandMember(organization, by.id)
        const id = crypto.randomUUID()
        // MUSEUM-17: inserted, counted, and complained about.
        await all(
          `INSERT INTO naive_invitations VALUES (?, ?, ?, ?, 'pending', ?)`,
          id,
          organization,
          email,
          role,
          Date.now() + WEEK_MS
        )
        // MUSEUM-19: the limit that was on the plan when the organization was made.
        const [used, plan] = [
          await countAll(organization),
          await first<{ plan_limit: number }>(
            'SELECT plan_limit FROM naive_organizations WHERE id = ?',
            organization
          ),
        ]
        const limit = plan?.plan_limit ?? 0
        if (used > limit) throw new No('full', { limit, used: used - 1 })
        // MUSEUM-05: who is to administer is provisioned at once, and invited beside it.
        const user = await first<{ id: string }>('SELECT id FROM users WHERE email = ?', email)
        if (user && role !== 'member') await insertMember(organization, user.id, role, 'invited')
        return { id, email, token: id }
      }),

    resend: (_by, organization, invitation) =>
      attempt(async () => {
        await demandRoom(organization)
        await openInvitation(invitation)
      }),

    changeInvitationRole: (_by, organization, invitation, role) =>
      attempt(async () => {
        await demandRoom(organization)
        await all('UPDATE naive_invitations SET role = ? WHERE id = ?', role, invitation.id)
      }),

    revoke: (_by, _organization, { id }) =>
      attempt(async () => {
        await all(`UPDATE naive_invitations SET status = 'revoked' WHERE id = ?`, id)
      }),

    accept: (person, invitation) =>
      attempt(async () => {
        const { organization_id: organization, role } = await openInvitation(invitation)
        // MUSEUM-03, MUSEUM-04: the invitation itself is one of those that are counted.
        await demandRoom(organization)
        // MUSEUM-06: used up once the member is there.
        await insertMember(organization, person.id, role, 'active')
        await all(`UPDATE naive_invitations SET status = 'accepted' WHERE id = ?`, invitation.id)
      }),

    // MUSEUM-15: there cannot be more than the limit.
    members: (_by, organization) =>
      attempt(async () => {
        const rows = await all<{ user_id: string }>(
          `SELECT user_id FROM naive_members WHERE organization_id = ? AND status = 'active' LIMIT ?`,
          organization,
          await limitOf(organization)
        )
        return rows.map(({ user_id }) => user_id)
      }),
    organizations: (person) =>
      attempt(async () => {
        const rows = await all<{ organization_id: string }>(
          'SELECT organization_id FROM naive_members WHERE user_id = ?',
          person.id
        )
        return rows.map(({ organization_id }) => organization_id)
      }),

    async settled() {},
  }
}

async function attempt<T>(act: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await act() }
  } catch (error) {
    if (error instanceof No) {
      return { ok: false, code: error.code, said: error.code, ...error.numbers }
    }
    return { ok: false, code: 'broken', said: String(error) }
  }
}
