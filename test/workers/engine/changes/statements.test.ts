import { describe, expect, it } from 'vitest'
import {
  createInvitations,
  deleteUser,
  restoreMembers,
  setSeatLimit,
  softDeleteOrganization,
  suspendMember,
  type LifecycleHook,
} from '../../../../src/index.ts'
import {
  countingKit,
  crowd,
  documented,
  invitees,
  line,
  MOST_STATEMENTS,
  holdingBack,
  readState,
  violations,
  mailbox,
  newAddress,
  kitWithHooks,
  EVERY_CHANGE,
  newTeam,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  enforcing,
  join,
  newUser,
  PASSWORD,
  type Provider,
  type TestOrganization,
  type Kit,
  shareOf,
} from '../../../kit/index.ts'

const onDelete: LifecycleHook = (statements) => ({ ok: true, statements })

async function invited(kit: Kit, organization: TestOrganization, count: number) {
  for (let left = count; left > 0; left -= 100) {
    const rows = Array.from({ length: Math.min(left, 100) }, () => ({
      email: newAddress(),
      role: 'member',
    }))
    const scope = organization.as(organization.owner)
    unwrap(await createInvitations(kit.seatgate, scope, { invitations: rows }))
    await kit.settled()
  }
}

/** Somebody in so many organizations, put there by SQL; each has an owner beside them. */
async function belongingTo(count: number): Promise<{ userId: string; ids: readonly string[] }> {
  const userId = await newUser()
  const ids = Array.from({ length: count }, () => crypto.randomUUID())
  const run = (sql: string) => testEnv.DB.prepare(sql).bind(userId, JSON.stringify(ids))
  await testEnv.DB.batch([
    run(`INSERT INTO seatgate_organizations (id, name, slug, owner_user_id, created_at, updated_at)
      SELECT value, 'Acme', 's' || value, 'founder of ' || ?1, 1, 1 FROM json_each(?2)`),
    run(`INSERT INTO seatgate_memberships (id, organization_id, user_id, role, seat_id, created_at, updated_at)
      SELECT 'm' || value, value, ?1, 'member', 'm-seat' || value, key, 1 FROM json_each(?2)`),
    run(`INSERT INTO seatgate_memberships (id, organization_id, user_id, role, seat_id, created_at, updated_at)
      SELECT 'o' || value, value, 'founder of ' || ?1, 'owner', 'o-seat' || value, 1, 1
      FROM json_each(?2)`),
  ])
  return { userId, ids }
}

interface Recorded {
  readonly sequence: number
  readonly action: string
  readonly target_id: string
  readonly personal_digest: string | null
  readonly invitation_id: string | null
}

async function trailOf(organizationId: string): Promise<readonly Recorded[]> {
  const { results } = await testEnv.DB.prepare(
    `SELECT sequence, action, target_id, personal_digest,
       json_extract(metadata, '$.invitation_id') AS invitation_id
     FROM seatgate_audit_events WHERE organization_id = ? ORDER BY sequence`
  )
    .bind(organizationId)
    .all<Recorded>()
  return results
}

const request = { requestId: 'request', origin: { ipAddress: '192.0.2.1', userAgent: 'test' } }

type Case = (provider: Provider, size: number) => Promise<number>

/** Operations on so many rows, and how many statements each asks of D1. */
const CASES: Record<string, Case> = {
  async 'delete an organization with open invitations'(provider, size) {
    const kit = countingKit({ provider })
    const organization = await kit.organization()
    await invited(kit, organization, size)
    const { seatgate } = kit
    const scope = { ...organization.as(organization.owner), ...request }
    const statements = await kit.statementsOf(async () =>
      unwrap(
        await softDeleteOrganization(seatgate, scope, { confirmName: 'Test', password: PASSWORD })
      )
    )
    const events = await trailOf(organization.id)
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_event, at) => at + 1))
    const ends = events.filter(({ action }) => action === 'organization.invitation.revoked')
    expect(ends).toHaveLength(size)
    expect(new Set(ends.map(({ personal_digest }) => personal_digest)).size).toBe(1)
    expect(ends[0]?.personal_digest).toEqual(expect.any(String))
    // Each end is followed by the release of its seat.
    for (const { sequence, target_id } of ends) {
      expect(events[sequence]).toMatchObject({
        action: 'seat.released',
        invitation_id: target_id,
      })
    }
    return statements
  },
  async 'delete a user who belongs to organizations'(provider, size) {
    const { userId, ids } = await belongingTo(size)
    const hooks = { afterMemberRemove: async () => {} }
    const kit = countingKit({ provider, lifecycle: { onDelete }, hooks })
    const { seatgate } = kit
    const statements = await kit.statementsOf(async () =>
      unwrap(await deleteUser(seatgate, { caller: { userId }, ...request }, { password: PASSWORD }))
    )
    for (const id of [ids[0]!, ids.at(-1)!]) {
      const events = await trailOf(id)
      expect((await readState(id)).members).toHaveLength(1)
      expect(events).toMatchObject([
        { sequence: 1, action: 'organization.member_remove', target_id: userId },
        { sequence: 2, action: 'seat.released', target_id: `m-seat${id}` },
      ])
      const { results } = await testEnv.DB.prepare(
        'SELECT digest, user_id, ip_address FROM seatgate_audit_personal WHERE organization_id = ?'
      )
        .bind(id)
        .all()
      expect(results).toEqual([
        { digest: events[0]?.personal_digest, user_id: userId, ip_address: '192.0.2.1' },
      ])
    }
    return statements
  },
}

/** Operations on the rows that are asked for: so many statements for each of them at most. */
const EACH: Record<string, { most: number; act: Case }> = {
  'invite at once, with a mailer': {
    most: documented('an invitation of many'),
    async act(provider, size) {
      const { mails, options } = mailbox()
      const kit = countingKit({ provider, ...options })
      const organization = await kit.organization()
      const emails = Array.from({ length: size }, newAddress)
      const rows = emails.map((email) => ({ email, role: 'member' }))
      const { seatgate } = kit
      const scope = organization.as(organization.owner)
      const inviting = () => createInvitations(seatgate, scope, { invitations: rows })
      // The second time each replaces one.
      const statements = [
        await kit.statementsOf(inviting),
        await kit.statementsOf(async () => {
          for (const row of unwrap(await inviting())) unwrap(row)
        }),
      ]
      expect(mails).toHaveLength(2 * size)
      const { invitations } = await readState(organization.id)
      expect(invitations.filter(({ revoked_at }) => revoked_at === null)).toHaveLength(size)
      expect(await violations(organization.id, { quiet: true })).toEqual([])
      return Math.max(...statements)
    },
  },
  'restore members': {
    most: documented('a member of many who are restored'),
    async act(provider, size) {
      const kit = countingKit({ provider })
      const organization = await kit.organization()
      const { seatgate } = kit
      const scope = organization.as(organization.owner)
      const userIds: string[] = []
      for (let made = 0; made < size; made++) userIds.push(await join(kit, organization))
      for (const userId of userIds) unwrap(await suspendMember(seatgate, scope, userId))
      await kit.settled()
      const statements = await kit.statementsOf(async () =>
        unwrap(await restoreMembers(seatgate, scope, { userIds }))
      )
      expect(await violations(organization.id, { quiet: true })).toEqual([])
      return statements
    },
  },
}

describe('how many statements an operation asks of D1', () => {
  for (const provider of enforcing) {
    it.each(shareOf(Object.entries(CASES), 3))(
      `does not grow with the rows: %s (${provider}) [A11]`,
      async (_name, act) => {
        const [few, many] = [await act(provider, 20), await act(provider, 400)]
        // Of a list that is too long for one parameter there are two.
        expect(many - few).toBeLessThanOrEqual(1)
        expect(many).toBeLessThanOrEqual(documented('a change of many rows'))
      },
      60_000
    )

    it.each(shareOf(Object.entries(EACH), 1))(
      `grows by few with each row that is asked for: %s (${provider}) [A11]`,
      async (_name, { most, act }) => {
        const sizes = [20, 100]
        const [few, many] = [await act(provider, sizes[0]!), await act(provider, sizes[1]!)]
        expect(many - few).toBeLessThanOrEqual(most * (sizes[1]! - sizes[0]!))
        expect(many).toBeLessThan(MOST_STATEMENTS)
      },
      60_000
    )
  }
})

/** So many more members and open invitations than a team has, and so many in line. */
async function sizedTeam(provider: Provider, size: number) {
  const team = await newTeam(provider)
  const { id } = team.organization
  await crowd(id, size)
  await invitees(id, size, team.owner)
  await line(id, size)
  const calm = createKit({ provider })
  const scope = team.organization.asOperator
  unwrap(await setSeatLimit(calm.seatgate, scope, { limit: 5000 }))
  await calm.settled()
  return team
}

describe('every function that changes something', () => {
  for (const provider of enforcing) {
    it.each(shareOf(EVERY_CHANGE, 5))(
      `uses as many statements in a large organization as in a small one: $name (${provider}) [A11]`,
      async ({ act }) => {
        const counted = async (size: number) => {
          const team = await sizedTeam(provider, size)
          const kit = countingKit({ provider }, kitWithHooks)
          return kit.statementsOf(async () => unwrap(await act(kit.seatgate, team)))
        }
        const [few, many] = [await counted(3), await counted(300)]
        expect(many).toBeLessThanOrEqual(few)
        expect(few).toBeLessThanOrEqual(documented('a change'))
      },
      60_000
    )
  }
})

describe('many invitations at once', () => {
  it('are counted in the batch: of two lists at once one is within the limit [A11]', async () => {
    const invitationLimits = { inBulk: 20 }
    const listed = () => Array.from({ length: 20 }, () => ({ email: newAddress(), role: 'member' }))
    const calm = createKit({ invitationLimits })
    const { around, reached, letGo } = holdingBack(({ asked }) =>
      asked.some((sql) => sql.startsWith('insert into "seatgate_invitations"'))
    )
    const slow = createKit({ invitationLimits, around })
    const organization = await calm.organization()
    const scope = organization.as(organization.owner)
    const inviting = (kit: Kit) => createInvitations(kit.seatgate, scope, { invitations: listed() })
    const late = inviting(slow)
    await reached
    for (const row of unwrap(await inviting(calm))) expect(codeOf(row)).toBe('ok')
    letGo()
    for (const row of unwrap(await late)) expect(codeOf(row)).toBe('rate_limited_organization')
  })
})
