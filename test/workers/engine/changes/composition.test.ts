import { eq } from 'drizzle-orm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { users } from '../../../../host/identity/schema.ts'
import {
  combine,
  commitTogether,
  createOrganization,
  prepareMember,
  prepareOrganization,
  removeMember,
  suspendMember,
  updateSlug,
  type OrganizationScope,
  type Principal,
  type Result,
} from '../../../../src/index.ts'
import {
  guardsIn,
  expectSound,
  muchLater,
  readLedger,
  readState,
  violations,
  everything,
  freshSlug,
  isChange,
  lastEventOf,
  softDeleted,
  testEnv,
  keys,
  unwrap,
  codeOf,
  createKit,
  enforcingOr,
  join,
  newUser,
  PASSWORD,
  type TestOrganization,
  type Kit,
} from '../../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

type Personal = OrganizationScope & { readonly caller: Principal }

const by = (userId: string, { id }: TestOrganization): Personal => ({
  caller: { userId },
  organization: id,
})

const userRow = (id: string, email = `${id}@example.com`) => ({
  id,
  email,
  passwordHash: 'none',
  createdAt: new Date(),
})

const inserting = ({ seatgate }: Kit, id: string, email?: string) =>
  seatgate.db.insert(users).values(userRow(id, email))

const found = ({ seatgate }: Kit, userId: string, slug = freshSlug()) =>
  prepareOrganization(seatgate, { caller: { userId } }, { name: 'New', slug })

const joiner = ({ seatgate }: Kit, organization: TestOrganization, userId: string) =>
  prepareMember(seatgate, by(organization.owner, organization), { userId, role: 'member' })

/** What a prepared change comes to, whether it ends before its batch or in it. */
async function outcome(
  { seatgate }: Kit,
  prepared: Awaited<ReturnType<typeof prepareMember>>
): Promise<Result<unknown>> {
  return prepared.ok ? commitTogether(seatgate, prepared.value) : prepared
}

const rowsOf = async (id: string) => (await readState(id)).members.map(({ user_id }) => user_id)

const userExists = async (id: string) =>
  (await testEnv.DB.prepare('SELECT 1 FROM users WHERE id = ?').bind(id).first()) !== null

describe.each(enforcingOr('d1'))('preparing with %s seats', (provider) => {
  it('asks no database', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 5 })
    const [founder, userId] = [await newUser(), await newUser()]
    const rows = await everything()
    const trips = kit.trips()
    unwrap(await found(kit, founder))
    unwrap(await joiner(kit, organization, userId))
    expect(kit.trips()).toBe(trips)
    expect(await everything()).toEqual(rows)
  })

  it('and committing is one trip, with the host’s statements before and after', async () => {
    const batches: (readonly string[])[] = []
    const kit = createKit({
      provider,
      around({ store, asked }, run) {
        if (store === 'd1') batches.push(asked)
        return run()
      },
    })
    const organization = await kit.organization({ seats: 5 })
    const userId = crypto.randomUUID()
    const joining = unwrap(await joiner(kit, organization, userId))
    batches.length = 0
    const value = unwrap(
      await commitTogether(kit.seatgate, joining, {
        before: [inserting(kit, userId)],
        after: [kit.seatgate.db.update(users).set({ name: 'Welcome' }).where(eq(users.id, userId))],
      })
    )
    await kit.settled()
    expect(value).toEqual(joining.value)
    expect(batches).toHaveLength(1)
    const [asked] = batches
    const sent = asked?.map((text) => Math.max(1, guardsIn(text).length))
    const sum = sent?.reduce((total, count) => total + count, 0)
    expect(sum).toBe(joining.statements.length + 2)
    expect(asked?.at(0)).toContain('insert into "users"')
    expect(asked?.at(-1)).toContain('update "users"')
    expect(
      await testEnv.DB.prepare('SELECT name FROM users WHERE id = ?').bind(userId).first()
    ).toEqual({ name: 'Welcome' })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('founds an organization for a user who is registered in the same batch', async () => {
    const kit = createKit({ provider })
    const userId = crypto.randomUUID()
    const caller = { userId }
    const founding = unwrap(
      await prepareOrganization(
        kit.seatgate,
        { caller, requestId: 'r-7' },
        { name: 'Own', slug: freshSlug() },
        { personal: true }
      )
    )
    const created = unwrap(
      await commitTogether(kit.seatgate, founding, { before: [inserting(kit, userId)] })
    )
    await kit.settled()
    expect(created).toMatchObject({ name: 'Own', personal: true, founderUserId: userId })
    const { members, events } = await readState(created.id)
    expect(members).toMatchObject([{ user_id: userId, role: 'owner', status: 'active' }])
    expect(events[0]).toMatchObject({ action: 'organization.create', actor_id: userId })
    expect(
      await testEnv.DB.prepare(
        'SELECT request_id FROM seatgate_audit_events WHERE organization_id = ?'
      )
        .bind(created.id)
        .first('request_id')
    ).toBe('r-7')
    expect(await violations(created.id, { quiet: true })).toEqual([])
  })

  it('sees a user who is registered before it in the batch, and no user after it', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 5 })
    const [early, late] = [crypto.randomUUID(), crypto.randomUUID()]
    unwrap(
      await commitTogether(kit.seatgate, unwrap(await joiner(kit, organization, early)), {
        before: [inserting(kit, early)],
      })
    )
    const answer = await commitTogether(
      kit.seatgate,
      unwrap(await joiner(kit, organization, late)),
      { after: [inserting(kit, late)] }
    )
    expect(answer).toEqual({
      ok: false,
      error: { code: 'validation_error', errors: { userId: ['This user does not exist.'] } },
    })
    await kit.settled()
    expect(await userExists(late)).toBe(false)
    expect((await rowsOf(organization.id)).sort()).toEqual([organization.owner, early].sort())
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it.each(['before', 'after'] as const)(
    'writes no row and frees the seat if a statement %s it breaks a unique key',
    async (where) => {
      const kit = createKit({ provider })
      const other = await kit.organization({ seats: 2 })
      const [taken, gone] = [await newUser(), await newUser()]
      // The ledger is started once, and that is written.
      await join(kit, other, 'member', gone)
      unwrap(await removeMember(kit.seatgate, other.as(other.owner), gone))
      await kit.settled()
      const rows = await everything()
      const broken = () => inserting(kit, crypto.randomUUID(), `${taken}@example.com`)
      const joining = unwrap(await joiner(kit, other, taken))
      const seen: string[] = []
      const statements = () => ({
        [where]: [broken()],
        onConflict(constraint: string) {
          seen.push(constraint)
          return null
        },
      })
      expect(codeOf(await commitTogether(kit.seatgate, joining, statements()))).toBe(
        'host_conflict'
      )
      const founding = unwrap(await found(kit, taken))
      expect(codeOf(await commitTogether(kit.seatgate, founding, statements()))).toBe(
        'host_conflict'
      )
      expect(seen).toEqual(Array(2).fill('UNIQUE constraint failed: users.email'))
      await kit.settled()
      expect(await everything()).toEqual(rows)
      if (provider === 'ledger') {
        expect(await readLedger(other.id)).toMatchObject({ held: 1, reserved: 0 })
      }
      // The last seat is there for the next one.
      expect(codeOf(await outcome(kit, await joiner(kit, other, taken)))).toBe('ok')
    }
  )

  it('is refused for a slug that another organization has taken since, or that still redirects', async () => {
    const kit = createKit({ provider })
    const { seatgate } = kit
    const [userId, rival] = [await newUser(), await newUser()]
    const slug = freshSlug()
    const founding = unwrap(await found(kit, userId, slug))
    unwrap(
      await createOrganization(seatgate, { caller: { userId: rival } }, { name: 'First', slug })
    )
    await kit.settled()
    const taken = {
      ok: false,
      error: { code: 'validation_error', errors: { slug: ['This slug is already taken.'] } },
    }
    const newcomer = crypto.randomUUID()
    const before = [inserting(kit, newcomer)]
    const rows = await everything()
    expect(await commitTogether(seatgate, founding, { before })).toEqual(taken)
    expect(await everything()).toEqual(rows)
    expect(await userExists(newcomer)).toBe(false)
    unwrap(
      await updateSlug(
        seatgate,
        { caller: { userId: rival }, organization: slug },
        { slug: freshSlug(), confirmSlug: slug, password: PASSWORD }
      )
    )
    const again = unwrap(await found(kit, userId, slug))
    expect(await commitTogether(seatgate, again)).toEqual(taken)
  })

  it('is refused to callers without the right to add members', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 10 })
    const member = await join(kit, organization)
    const admin = await join(kit, organization, 'admin')
    const suspended = await join(kit, organization, 'admin')
    unwrap(await suspendMember(kit.seatgate, organization.as(organization.owner), suspended))
    await kit.settled()
    const [userId, stranger] = [await newUser(), await newUser()]
    const rows = await everything()
    const attempt = async (caller: Principal, role = 'member') => {
      const answer = await outcome(
        kit,
        await prepareMember(
          kit.seatgate,
          { caller, organization: organization.id },
          { userId, role }
        )
      )
      return codeOf(answer)
    }
    const bot = { type: 'service_account', serviceAccountId: 'bot' } as const
    expect(await attempt({ userId: member })).toBe('insufficient_role')
    expect(await attempt({ userId: admin }, 'owner')).toBe('insufficient_role')
    expect(await attempt({ userId: suspended })).toBe('organization_not_found')
    expect(await attempt({ userId: stranger })).toBe('organization_not_found')
    expect(await attempt({ ...bot, organizationId: organization.id, role: 'member' })).toBe(
      'insufficient_role'
    )
    expect(await attempt({ ...bot, organizationId: crypto.randomUUID(), role: 'owner' })).toBe(
      'insufficient_role'
    )
    await kit.settled()
    expect(await everything()).toEqual(rows)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
    expect(await attempt({ userId: admin })).toBe('ok')
  })

  it('has no service account make an owner that is not one itself', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization()
    const userId = await newUser()
    const attempt = async (role: string) => {
      const caller = {
        type: 'service_account',
        serviceAccountId: 'bot',
        organizationId: organization.id,
        role,
      } as const
      const scope = { caller, organization: organization.id }
      return codeOf(
        await outcome(kit, await prepareMember(kit.seatgate, scope, { userId, role: 'owner' }))
      )
    }
    expect(await attempt('admin')).toBe('insufficient_role')
    expect(await rowsOf(organization.id)).toEqual([organization.owner])
    expect(await attempt('owner')).toBe('ok')
  })

  it('refuses a caller who has lost the right to add since', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 10 })
    const admin = await join(kit, organization, 'admin')
    const userId = await newUser()
    const joining = unwrap(
      await prepareMember(kit.seatgate, by(admin, organization), { userId, role: 'member' })
    )
    await testEnv.DB.prepare('UPDATE seatgate_memberships SET role = ? WHERE user_id = ?')
      .bind('member', admin)
      .run()
    expect(codeOf(await commitTogether(kit.seatgate, joining))).toBe('insufficient_role')
    expect(await rowsOf(organization.id)).not.toContain(userId)
  })

  it('is refused for a present member, before or since', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 3 })
    const present = await join(kit, organization)
    expect(codeOf(await outcome(kit, await joiner(kit, organization, present)))).toBe(
      'already_member'
    )
    await kit.settled()
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('is refused where there is no organization, or no longer one', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 5 })
    const userId = await newUser()
    const joining = unwrap(await joiner(kit, organization, userId))
    await softDeleted(kit.seatgate, organization)
    await kit.settled()
    expect(codeOf(await commitTogether(kit.seatgate, joining))).toBe('organization_not_found')
    expect(await rowsOf(organization.id)).toEqual([organization.owner])
    for (const caller of [{ userId: organization.owner }, { type: 'system' }] as const) {
      for (const id of [organization.id, crypto.randomUUID()]) {
        const answer = await outcome(
          kit,
          await prepareMember(
            kit.seatgate,
            { caller, organization: id },
            { userId, role: 'member' }
          )
        )
        expect(['organization_not_found', 'seats_unavailable']).toContain(codeOf(answer))
        expect(await rowsOf(id)).not.toContain(userId)
      }
    }
  })

  it('is refused without a free seat, with the numbers', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 2, members: 2 })
    const rows = await everything()
    const newcomer = crypto.randomUUID()
    const joining = await joiner(kit, organization, newcomer)
    const answer = joining.ok
      ? await commitTogether(kit.seatgate, joining.value, {
          before: [inserting(kit, newcomer)],
        })
      : joining
    expect(answer).toEqual({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 2, used: 2 },
    })
    await kit.settled()
    expect(await everything()).toEqual(rows)
  })

  it('combines two changes into one: all of both, or no part of either', async () => {
    const kit = createKit({ provider, auditLogKey: keys.privateKey })
    const organization = await kit.organization({ seats: 2 })
    const prepareBoth = async (userId: string) => {
      const workspace = unwrap(await found(kit, userId))
      return combine(workspace, unwrap(await joiner(kit, organization, userId)))
    }
    const stranger = crypto.randomUUID()
    const failing = await prepareBoth(stranger)
    const rows = await everything()
    expect(codeOf(await commitTogether(kit.seatgate, failing))).toBe('validation_error')
    expect(await everything()).toEqual(rows)

    const userId = crypto.randomUUID()
    const both = await prepareBoth(userId)
    const [workspace, joined] = unwrap(
      await commitTogether(kit.seatgate, both, { before: [inserting(kit, userId)] })
    )
    await kit.settled()
    expect(workspace.founderUserId).toBe(userId)
    expect(joined).toMatchObject({ created: true, membership: { userId, role: 'member' } })
    expect(await rowsOf(workspace.id)).toEqual([userId])
    expect(await rowsOf(organization.id)).toContain(userId)
    expect((await lastEventOf(organization.id)).actorId).toBe(organization.owner)
    for (const { id } of [workspace, organization]) {
      expect(await violations(id, { quiet: true })).toEqual([])
    }
    const woken = kit.wakeUps.map(({ organizationId }) => organizationId)
    expect(woken).toEqual(expect.arrayContaining([workspace.id, organization.id]))
  })
})

describe('a prepared member', () => {
  it('gives the seat back within a minute if its batch never runs', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 2 })
    unwrap(await joiner(kit, organization, await newUser()))
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    await muchLater(organization.id)
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 0 })
    await expectSound(organization.id, true)
  })

  it.each(['before', 'after'])(
    'is settled where its outcome is unknown: lost %s the batch',
    async (moment) => {
      const calm = createKit()
      const organization = await calm.organization({ seats: 2 })
      const userId = await newUser()
      const kit = createKit({
        async around({ asked }, run) {
          if (!isChange(asked)) return run()
          if (moment === 'after') await run()
          throw new Error('Network connection lost.')
        },
      })
      const joining = unwrap(await joiner(kit, organization, userId))
      expect(codeOf(await commitTogether(kit.seatgate, joining))).toBe('seats_unavailable')
      await muchLater(organization.id)
      expect((await rowsOf(organization.id)).includes(userId)).toBe(moment === 'after')
      await expectSound(organization.id, true)
    }
  )

  it('keeps the seat if its batch is sent again after a lost answer', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 2 })
    const userId = await newUser()
    let lost = true
    const kit = createKit({
      async around({ asked }, run) {
        const answer = await run()
        if (lost && isChange(asked)) throw new Error('Network connection lost.')
        return answer
      },
    })
    const joining = unwrap(await joiner(kit, organization, userId))
    expect(codeOf(await commitTogether(kit.seatgate, joining))).toBe('seats_unavailable')
    lost = false
    expect(codeOf(await commitTogether(kit.seatgate, joining))).toBe('already_member')
    await kit.settled()
    // The one seat of theirs is in use, whatever the second batch came to.
    expect(await violations(organization.id, { quiet: false })).toEqual([])
    const third = await outcome(kit, await joiner(kit, organization, await newUser()))
    expect(codeOf(third)).toBe('seat_limit_reached')
  })

  it('is in an organization that is named by its id', async () => {
    const kit = createKit()
    const { slug, owner } = await kit.organization()
    await expect(
      prepareMember(
        kit.seatgate,
        { caller: { userId: owner }, organization: slug },
        { userId: 'x', role: 'member' }
      )
    ).rejects.toThrow(TypeError)
  })

  it('is refused for an input that is not valid, before a seat is asked for', async () => {
    const asked: string[] = []
    const calm = createKit()
    const organization = await calm.organization()
    const { seatgate } = createKit({
      around(trip, run) {
        asked.push(trip.store)
        return run()
      },
    })
    for (const input of [null, {}, { userId: '', role: 'member' }, { userId: 'x', role: 'king' }]) {
      const answer = await prepareMember(
        seatgate,
        by(organization.owner, organization),
        input as never
      )
      expect(codeOf(answer)).toBe('validation_error')
    }
    expect(asked).toEqual([])
  })
})
