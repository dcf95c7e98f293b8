import { describe, expect, it } from 'vitest'
import { seatgateRouter } from '../../../../src/hono/index.ts'
import {
  acceptInvitation,
  changeRole,
  createInviteLink,
  joinByLink,
  listInviteLinks,
  prepareUserDeletion,
  commitTogether,
  removeMember,
  restoreOrganization,
  revokeInviteLink,
  suspendMember,
  transferOwnership,
  userLimits,
  viewInviteLink,
  type CreateInviteLinkInput,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  actionsOf,
  asUser,
  byName,
  clientOf,
  codeOf,
  createJoiningKit,
  delays,
  enforcing,
  everything,
  expectSound,
  freshStores,
  invite,
  join,
  lastEventOf,
  meanwhile,
  membersOf,
  newUser,
  operator,
  PASSWORD,
  softDeleted,
  testEnv,
  unwrap,
  userWith,
  type Kit,
  type KitOptions,
  type TestOrganization,
} from '../../../kit/index.ts'

const DAY_MS = 24 * 60 * 60 * 1000

const linking = (options: KitOptions = {}, whenFull: 'refuse' | 'wait' = 'refuse') =>
  createJoiningKit(options, { links: { whenFull }, whenFull: {} })

async function linkOf(
  kit: Kit,
  organization: TestOrganization,
  input: Partial<CreateInviteLinkInput> = {},
  by = organization.owner
) {
  const link = unwrap(
    await createInviteLink(kit.seatgate, organization.as(by), {
      role: 'member',
      maxUses: 10,
      ...input,
    })
  )
  return { ...link, token: link.token! }
}

const use = ({ seatgate }: Kit, token: string, userId: string) =>
  joinByLink(seatgate, { caller: { userId } }, { token })

async function usesLeft(id: string) {
  return testEnv.DB.prepare('SELECT uses_left FROM seatgate_invite_links WHERE id = ?')
    .bind(id)
    .first<number>('uses_left')
}

const kit = linking()
const { seatgate } = kit

describe('a link of ten uses', () => {
  it.each(enforcing.map((provider, index) => ({ provider, delayMs: delays[index]! })))(
    'admits ten of a hundred users at once, each with a seat ($provider, $delayMs ms) [LINK-1]',
    async (way) => {
      const rushed = linking(way)
      const organization = await linking({ provider: way.provider }).organization({ seats: 150 })
      const { token, id } = await linkOf(rushed, organization)
      const people = await Promise.all(Array.from({ length: 100 }, () => newUser()))
      const answers = await Promise.all(people.map((userId) => use(rushed, token, userId)))
      expect(answers.filter(({ ok }) => ok)).toHaveLength(10)
      const refusals = new Set(answers.flatMap((answer) => (answer.ok ? [] : [answer.error.code])))
      expect([...refusals].filter((code) => code !== 'operation_in_progress')).toEqual([
        'link_used_up',
      ])
      await rushed.settled()
      expect(await usesLeft(id)).toBe(0)
      expect(await membersOf(organization)).toHaveLength(10)
      await expectSound(organization.id, false)
    },
    60_000
  )

  it.each(enforcing)(
    'admits as many as there are seats, and spends no use on the others (%s) [LINK-1 LINK-4]',
    async (provider) => {
      const tight = linking({ provider })
      const organization = await tight.organization({ seats: 4 })
      const { token, id } = await linkOf(tight, organization)
      const people = await Promise.all(Array.from({ length: 8 }, () => newUser()))
      const answers = await Promise.all(people.map((userId) => use(tight, token, userId)))
      expect(answers.map(codeOf).toSorted()).toEqual([
        'ok',
        'ok',
        'ok',
        ...Array.from({ length: 5 }, () => 'seat_limit_reached'),
      ])
      expect(await usesLeft(id)).toBe(7)
      await tight.settled()
      await expectSound(organization.id, false)
    }
  )

  it('admits no user after its revocation, also if both happen at once [LINK-6]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const { token, id } = await linkOf(kit, organization)
    const overtaken = linking({
      around: meanwhile(async () => unwrap(await revokeInviteLink(seatgate, scope, id))),
    })
    expect(codeOf(await use(overtaken, token, await newUser()))).toBe('invitation_revoked')
    expect(await membersOf(organization)).toHaveLength(0)
    expect(await usesLeft(id)).toBe(10)
  })

  it('spends no use on a member, nor on the same user again [LINK-3]', async () => {
    const organization = await kit.organization()
    const { token, id } = await linkOf(kit, organization, { maxUses: 1 })
    const userId = await newUser()
    const joined = unwrap(await use(kit, token, userId))
    expect(joined).toMatchObject({ status: 'joined', membership: { role: 'member' } })
    expect(unwrap(await use(kit, token, userId))).toEqual(joined)
    expect(codeOf(await use(kit, token, organization.owner))).toBe('ok')
    expect(await usesLeft(id)).toBe(0)
    expect(codeOf(await use(kit, token, await newUser()))).toBe('link_used_up')
  })

  it('writes the membership, the use and their events in one batch [LINK-2]', async () => {
    const organization = await kit.organization()
    const { token, id } = await linkOf(kit, organization)
    const userId = await newUser()
    unwrap(await use(kit, token, userId))
    const actions = await actionsOf(organization.id)
    expect(actions.slice(actions.indexOf('organization.invite_link.created'))).toEqual([
      'organization.invite_link.created',
      'organization.invite_link.used',
      'organization.member_add',
      'seat.assigned',
    ])
    const { results } = await testEnv.DB.prepare(
      `SELECT action, metadata FROM seatgate_audit_events WHERE organization_id = ?
       AND action IN ('organization.invite_link.used', 'organization.member_add') ORDER BY sequence`
    )
      .bind(organization.id)
      .all<{ action: string; metadata: string }>()
    expect(results.map(({ metadata }) => JSON.parse(metadata))).toEqual([
      { link_id: id, user_id: userId },
      { role: 'member', path: 'link', user_id: userId },
    ])
  })

  it('is stored as a hash, and shown once [LINK-5]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const input = { role: 'member', maxUses: 2 } as const
    const options = { operationId: crypto.randomUUID() }
    const first = unwrap(await createInviteLink(seatgate, scope, input, options))
    const again = unwrap(await createInviteLink(seatgate, scope, input, options))
    expect(first.token).toMatch(/^[\w-]{43}$/)
    expect(again).toEqual({ ...first, token: null })
    const { data } = unwrap(await listInviteLinks(seatgate, scope))
    const { token, ...shown } = first
    expect(data).toEqual([shown])
    expect(JSON.stringify(await everything())).not.toContain(token)
  })
})

describe('the answer to the token of a link', () => {
  it('is the same for a guess, a deleted organization and any other text [LINK-6]', async () => {
    const organization = await kit.organization()
    const { token } = await linkOf(kit, organization)
    await softDeleted(seatgate, organization)
    const userId = await newUser()
    const scope = { caller: { userId } }
    const guesses = [token, 'x'.repeat(43), '', 'x', null, 7, '\u0000', 'x'.repeat(100_000)]
    for (const guess of guesses) {
      const input = { token: guess as string }
      expect(codeOf(await joinByLink(seatgate, scope, input))).toBe('invitation_invalid')
      expect(codeOf(await viewInviteLink(seatgate, scope, input))).toBe('invitation_invalid')
    }
  })

  it('is rate_limited after twenty guesses, for a right token too [LINK-6]', async () => {
    const organization = await kit.organization()
    const { token } = await linkOf(kit, organization)
    const userId = await newUser()
    const wrong = await Promise.all(
      Array.from({ length: 30 }, () => use(kit, 'x'.repeat(43), userId))
    )
    expect(wrong.filter((answer) => codeOf(answer) === 'invitation_invalid')).toHaveLength(20)
    expect(codeOf(await use(kit, token, userId))).toBe('rate_limited')
  })

  it('is expired from the millisecond of its expiry on [LINK-6]', async () => {
    let time = new Date('2030-01-01T00:00:00Z')
    const timed = linking({ now: () => time })
    const organization = await timed.organization()
    const { token, expiresAt } = await linkOf(timed, organization, { ttlSeconds: 60 })
    time = new Date(Date.parse(expiresAt) - 1)
    expect(codeOf(await use(timed, token, await newUser()))).toBe('ok')
    time = new Date(expiresAt)
    expect(codeOf(await use(timed, token, await newUser()))).toBe('invitation_expired')
  })

  it('is revoked after a revocation [LINK-6]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const { token, id } = await linkOf(kit, organization)
    unwrap(await revokeInviteLink(seatgate, scope, id))
    expect(codeOf(await use(kit, token, await newUser()))).toBe('invitation_revoked')
    expect(codeOf(await revokeInviteLink(seatgate, scope, id))).toBe('not_pending')
    expect(await lastEventOf(organization.id)).toMatchObject({
      action: 'organization.invite_link.revoked',
      targetId: id,
    })
    expect(unwrap(await listInviteLinks(seatgate, scope)).data).toEqual([])
  })

  it('shows a signed-in user only the name, the role and the expiry [LINK-7]', async () => {
    const organization = await kit.organization()
    const { token, expiresAt } = await linkOf(kit, organization)
    const caller = { userId: await newUser() }
    expect(unwrap(await viewInviteLink(seatgate, { caller }, { token }))).toEqual({
      organization: { name: 'Test' },
      role: 'member',
      expiresAt,
    })
  })
})

describe('a user with a link', () => {
  it('needs a verified address in its domain [LINK-8]', async () => {
    const organization = await kit.organization()
    const { token, id } = await linkOf(kit, organization, { domain: 'Acme.Example' })
    const at = (domain: string, verified = true) =>
      userWith(`${crypto.randomUUID()}@${domain}`, verified)
    for (const userId of [
      await at('other.example'),
      await at('sub.acme.example'),
      await at('acme.example', false),
    ]) {
      expect(codeOf(await use(kit, token, userId))).toBe('email_mismatch')
    }
    expect(await usesLeft(id)).toBe(10)
    expect(codeOf(await use(kit, token, await at('acme.example')))).toBe('ok')
  })

  it('is refused after a removal or a suspension by another user [LINK-9]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const { token } = await linkOf(kit, organization)
    const [removed, suspended] = [await join(kit, organization), await join(kit, organization)]
    unwrap(await removeMember(seatgate, scope, removed))
    unwrap(await suspendMember(seatgate, scope, suspended))
    expect(codeOf(await use(kit, token, removed))).toBe('invitation_mismatch')
    expect(codeOf(await use(kit, token, suspended))).toBe('already_member')
    expect(await membersOf(organization)).toHaveLength(2)
  })

  it('takes over the seat of their own invitation [LINK-4]', async () => {
    const organization = await kit.organization({ seats: 2 })
    const email = `${crypto.randomUUID()}@example.com`
    const userId = await userWith(email)
    const { token: invitation } = await invite(kit, organization, email)
    const { token } = await linkOf(kit, organization)
    unwrap(await use(kit, token, userId))
    await kit.settled()
    await expectSound(organization.id, false)
    const accepted = await acceptInvitation(seatgate, { caller: { userId } }, { token: invitation })
    expect(codeOf(accepted)).toBe('invitation_revoked')
  })

  it('is refused at the limit of their memberships, and spends no use [CAP-3]', async () => {
    const capped = linking({ limits: userLimits({ memberships: 1 }) })
    const organization = await capped.organization()
    const busy = await join(capped, await capped.organization())
    const { token, id } = await linkOf(capped, organization)
    expect(codeOf(await use(capped, token, busy))).toBe('membership_limit_reached')
    expect(await usesLeft(id)).toBe(10)
  })

  it.each(enforcing)(
    'waits for a seat, in order, and spends a use (%s) [LINK-4]',
    async (provider) => {
      const waiting = linking({ provider }, 'wait')
      const organization = await waiting.organization({ seats: 2 })
      const { token, id } = await linkOf(waiting, organization)
      const [first, second, third] = [await newUser(), await newUser(), await newUser()]
      const statuses = []
      for (const userId of [first, second, third, third]) {
        statuses.push(unwrap(await use(waiting, token, userId)).status)
        await waiting.settled()
      }
      expect(statuses).toEqual(['joined', 'waiting', 'waiting', 'waiting'])
      expect(await usesLeft(id)).toBe(7)
      unwrap(await removeMember(waiting.seatgate, organization.as(first), first))
      await waiting.settled()
      expect(await membersOf(organization)).toEqual([first, second])
      await expectSound(organization.id, false)
    }
  )
})

describe('the end of the right to invite', () => {
  /** An organization with an admin, who has made a link. */
  async function withAdmin() {
    const organization = await kit.organization()
    const admin = await join(kit, organization, 'admin')
    const link = await linkOf(kit, organization, {}, admin)
    const kept = await linkOf(kit, organization)
    return { organization, owner: organization.as(organization.owner), admin, link, kept }
  }
  type Case = Awaited<ReturnType<typeof withAdmin>>

  const losses: Record<string, (team: Case) => Promise<unknown>> = {
    'a role change': ({ owner, admin }) => changeRole(seatgate, owner, admin, { role: 'member' }),
    'a removal': ({ owner, admin }) => removeMember(seatgate, owner, admin),
    'a suspension': ({ owner, admin }) => suspendMember(seatgate, owner, admin),
    'a departure': ({ organization, admin }) =>
      removeMember(seatgate, organization.as(admin), admin),
    'the deletion of the user': async ({ admin }) => {
      const caller = { type: 'system' } as const
      const prepared = unwrap(await prepareUserDeletion(seatgate, { caller }, admin))
      return commitTogether(seatgate, prepared)
    },
  }

  it.each(Object.keys(losses))('by %s ends their links, and no others [LINK-10]', async (loss) => {
    const team = await withAdmin()
    expect(await losses[loss]!(team)).toMatchObject({ ok: true })
    expect(codeOf(await use(kit, team.link.token, await newUser()))).toBe('invitation_revoked')
    expect(codeOf(await use(kit, team.kept.token, await newUser()))).toBe('ok')
    const actions = await actionsOf(team.organization.id)
    expect(actions.filter((action) => action === 'organization.invite_link.ended')).toHaveLength(1)
    await kit.settled()
    await expectSound(team.organization.id, false)
  })

  it('by a transfer ends the links of the former owner [LINK-10]', async () => {
    const { owner, admin, link, kept } = await withAdmin()
    const input = { userId: admin, role: 'member', password: PASSWORD } as const
    unwrap(await transferOwnership(seatgate, owner, input))
    expect(codeOf(await use(kit, kept.token, await newUser()))).toBe('invitation_revoked')
    expect(codeOf(await use(kit, link.token, await newUser()))).toBe('ok')
  })

  it('leaves the links of an admin who becomes owner [LINK-10]', async () => {
    const { owner, admin, link } = await withAdmin()
    unwrap(await changeRole(seatgate, owner, admin, { role: 'owner' }))
    expect(codeOf(await use(kit, link.token, await newUser()))).toBe('ok')
  })

  it('at once with a join comes either before or after it [LINK-10]', async () => {
    for (let round = 0; round < 5; round++) {
      const { organization, owner, admin, link } = await withAdmin()
      const [removed, joined] = await Promise.all([
        removeMember(seatgate, owner, admin),
        use(kit, link.token, await newUser()),
      ])
      expect(codeOf(removed)).toBe('ok')
      expect(['ok', 'invitation_revoked']).toContain(codeOf(joined))
      await kit.settled()
      await expectSound(organization.id, false)
    }
  })

  it('by another configuration of the roles closes their links while it lasts [LINK-10]', async () => {
    const { link, kept } = await withAdmin()
    const narrowed = linking({ invitationAdminRoles: ['owner'] })
    expect(codeOf(await use(narrowed, link.token, await newUser()))).toBe('invitation_revoked')
    expect(
      codeOf(
        await viewInviteLink(
          narrowed.seatgate,
          { caller: { userId: await newUser() } },
          { token: link.token }
        )
      )
    ).toBe('invitation_revoked')
    expect(codeOf(await use(narrowed, kept.token, await newUser()))).toBe('ok')
    expect(codeOf(await use(kit, link.token, await newUser()))).toBe('ok')
  })

  it('with the deletion of the organization ends all links permanently [LINK-10]', async () => {
    const { organization, link } = await withAdmin()
    await softDeleted(seatgate, organization)
    unwrap(await restoreOrganization(seatgate, { caller: operator }, organization.id))
    expect(codeOf(await use(kit, link.token, await newUser()))).toBe('invitation_revoked')
  })
})

describe('a link', () => {
  it('is created by members who may invite, never for the owner’s role [LINK-11]', async () => {
    const organization = await kit.organization()
    const [admin, member] = [await join(kit, organization, 'admin'), await join(kit, organization)]
    const input = { role: 'member', maxUses: 1 } as const
    const by = async (userId: string, given: object = input) =>
      codeOf(await createInviteLink(seatgate, organization.as(userId), given as typeof input))
    expect(await by(admin)).toBe('ok')
    expect(await by(member)).toBe('insufficient_role')
    expect(await by(await newUser())).toBe('organization_not_found')
    const machine = {
      type: 'service_account',
      serviceAccountId: 'ci',
      organizationId: organization.id,
      role: 'admin',
    } as const
    const scope = { caller: machine, organization: organization.id }
    expect(codeOf(await createInviteLink(seatgate, scope, input))).toBe('insufficient_role')
    for (const wrong of [
      { role: 'owner' },
      { role: 'king' },
      { maxUses: 0 },
      { maxUses: 1.5 },
      { maxUses: 10_001 },
      { ttlSeconds: 59 },
      { ttlSeconds: 31_536_001 },
      { domain: 'no domain' },
      { domain: '' },
    ]) {
      expect([wrong, await by(organization.owner, { ...input, ...wrong })]).toEqual([
        wrong,
        'validation_error',
      ])
    }
  })

  it('is refused beyond a hundred open ones [LINK-11]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const make = () => createInviteLink(seatgate, scope, { role: 'member', maxUses: 1 })
    for (let made = 0; made < 95; made += 5) await Promise.all(Array.from({ length: 5 }, make))
    const codes = (await Promise.all(Array.from({ length: 10 }, make))).map(codeOf)
    expect(codes.filter((code) => code === 'ok').length).toBeLessThanOrEqual(5)
    const { data } = unwrap(await listInviteLinks(seatgate, scope, { limit: 200 }))
    expect(data.length).toBeLessThanOrEqual(100)
  })

  it('is deleted ninety days after its expiry [LINK-12]', async () => {
    await freshStores()
    let time = new Date('2030-01-01T00:00:00Z')
    const timed = linking({ now: () => time })
    const organization = await timed.organization()
    await linkOf(timed, organization)
    const count = async () => {
      await sweepHandler(timed.seatgate)()
      return testEnv.DB.prepare('SELECT count(*) AS n FROM seatgate_invite_links').first<number>(
        'n'
      )
    }
    time = new Date(time.getTime() + 97 * DAY_MS - 1)
    expect(await count()).toBe(1)
    time = new Date(time.getTime() + 1)
    expect(await count()).toBe(0)
  })

  it('costs two trips to D1, as joining by a domain does [LINK-13]', async () => {
    const organization = await kit.organization()
    const { token } = await linkOf(kit, organization)
    const userId = await newUser()
    await kit.settled()
    const d1 = linking({ provider: 'd1' })
    const before = d1.trips()
    unwrap(await use(d1, token, userId))
    expect(d1.trips() - before).toBe(2)
    const view = d1.trips()
    unwrap(await viewInviteLink(d1.seatgate, { caller: { userId } }, { token }))
    expect(d1.trips() - view).toBe(1)
  })

  it('needs links in joinRules [LINK-14]', async () => {
    const without = createJoiningKit()
    const organization = await without.organization()
    const scope = organization.as(organization.owner)
    await expect(
      createInviteLink(without.seatgate, scope, { role: 'member', maxUses: 1 })
    ).rejects.toThrow(/links/)
    expect(without.seatgate.followers).toEqual([])
    expect(() => createJoiningKit({}, { links: { whenFull: 'x' as 'wait' } })).toThrow(/link/)
  })
})

describe('the routes of links', () => {
  it('answer each caller as the authorization table of invitations does [LINK-15]', async () => {
    const organization = await kit.organization()
    const { id: org, owner } = organization
    const [admin, member, suspended, stranger] = [
      await join(kit, organization, 'admin'),
      await join(kit, organization),
      await join(kit, organization),
      await newUser(),
    ]
    unwrap(await suspendMember(seatgate, organization.as(owner), suspended))
    const router = seatgateRouter(seatgate, { authenticate: byName })
    const client = clientOf(async (url, init) => router.request(url, init))
    const ids = [stranger, suspended, member, admin, owner]
    const callers = [null, ...ids.map((userId) => asUser({ userId }))]
    const statuses = async (ask: (as: string | null) => Promise<Response>) => {
      const answers = []
      for (const caller of callers) answers.push((await ask(caller)).status)
      return answers
    }
    const path = `/organizations/${org}/invite-links`
    const body = { role: 'member', maxUses: 5 }
    const rows = {
      list: await statuses((as) => client.get(path, as)),
      create: await statuses((as) => client.post(path, body, as)),
      revoke: await statuses(async (as) => {
        const { id } = await linkOf(kit, organization)
        return client.delete(`${path}/${id}`, as)
      }),
      view: await statuses(async (as) => {
        const { token } = await linkOf(kit, organization)
        return client.post('/invite-links/view', { token }, as)
      }),
      join: await statuses(async (as) => {
        const { token } = await linkOf(kit, organization)
        return client.post('/invite-links/join', { token }, as)
      }),
    }
    expect(rows).toEqual({
      list: [401, 404, 404, 403, 200, 200],
      create: [401, 404, 404, 403, 201, 201],
      revoke: [401, 404, 404, 403, 204, 204],
      view: [401, 200, 200, 200, 200, 200],
      join: [401, 201, 409, 201, 201, 201],
    })
    // A link of another organization is not there.
    const other = await kit.organization()
    const { id } = await linkOf(kit, other)
    expect((await client.delete(`${path}/${id}`, asUser({ userId: owner }))).status).toBe(404)
  })
})
