import { describe, expect, it } from 'vitest'
import { createMeter } from '../../../../bench/meter.ts'
import {
  declineJoinRequest,
  joinOrganization,
  listJoinableOrganizations,
  listJoinRequests,
  suspendMember,
  withdrawJoinRequest,
} from '../../../../src/index.ts'
import {
  newAddress,
  userWith,
  violations,
  approve,
  joinByDomain,
  createJoiningKit,
  joinAs,
  membersOf,
  neighbourOf,
  openOrganization,
  requestsOf,
  everything,
  lastEventOf,
  softDeleted,
  unwrap,
  codeOf,
  delays,
  enforcing,
  join,
  newUser,
} from '../../../kit/index.ts'

const kit = createJoiningKit()
const { seatgate } = kit
const refusing = createJoiningKit({}, { whenFull: {} })

describe('joining by a domain', () => {
  it('adds a user with a verified address in it', async () => {
    const organization = await openOrganization(refusing, 'auto')
    const { userId, outcome } = await joinByDomain(refusing, organization)
    expect(outcome).toMatchObject({
      status: 'joined',
      membership: { userId, organizationId: organization.id, role: 'member', status: 'active' },
    })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
    // Again, they are in.
    const rows = await everything()
    expect(unwrap(await joinAs(refusing, organization, userId))).toEqual(outcome)
    expect(await everything()).toEqual(rows)
  })

  it('is recorded with its path', async () => {
    const organization = await openOrganization(refusing, 'auto')
    const { userId } = await joinByDomain(refusing, organization)
    const events = await membersOf(organization)
    expect(events).toEqual([userId])
    expect(await lastEventOf(organization.id)).toMatchObject({
      action: 'seat.assigned',
      actorId: userId,
    })
  })

  it('answers every other user that there is no such organization, and it costs the same if there is', async () => {
    const organization = await openOrganization(kit, 'auto')
    const { domain } = organization.domain
    const strangers = {
      'another domain': await userWith(newAddress()),
      'an address that is not verified': await neighbourOf(organization, false),
      'a part of the domain': await userWith(`ann@${domain.slice(1)}`),
      'a domain below it': await userWith(`ann@mail.${domain}`),
      'the domain as a name': await userWith(`${domain}@elsewhere.example`),
      'no user at all': crypto.randomUUID(),
    }
    const rows = await everything()
    const meter = createMeter()
    const metered = createJoiningKit({ around: meter.around })
    // The first trip looks at the version of the schema too.
    await joinAs(metered, { id: crypto.randomUUID() }, crypto.randomUUID())
    for (const [who, userId] of Object.entries(strangers)) {
      const asked = (id: string) =>
        meter.measure(() => joinAs(metered, { id }, userId), metered.settled)
      const [answer, cost] = await asked(organization.id)
      expect([answer, cost], who).toEqual(await asked(crypto.randomUUID()))
      expect(codeOf(answer), who).toBe('organization_not_found')
      const joinable = await listJoinableOrganizations(seatgate, { caller: { userId } })
      expect(unwrap(joinable).data, who).toEqual([])
    }
    expect(await everything()).toEqual(rows)
  })

  it('offers no public mail provider, also if it became one later', async () => {
    const organization = await openOrganization(kit, 'auto')
    const { domain } = organization.domain
    const stricter = createJoiningKit({}, { publicDomains: [domain] })
    const neighbour = await neighbourOf(organization)
    expect(codeOf(await joinAs(stricter, organization, neighbour))).toBe('organization_not_found')
    const caller = { userId: neighbour }
    expect(unwrap(await listJoinableOrganizations(stricter.seatgate, { caller })).data).toEqual([])
  })

  it('is no way back for a suspended member', async () => {
    const organization = await openOrganization(kit, 'auto')
    const { userId } = await joinByDomain(kit, organization)
    unwrap(await suspendMember(seatgate, organization.as(organization.owner), userId))
    await kit.settled()
    const rows = await everything()
    expect(codeOf(await joinAs(kit, organization, userId))).toBe('already_member')
    expect(await everything()).toEqual(rows)
  })

  it('is not for machines, and not for strangers', async () => {
    const organization = await openOrganization(kit, 'auto')
    const input = { organizationId: organization.id }
    const machine = {
      type: 'service_account',
      serviceAccountId: 'bot',
      organizationId: organization.id,
      role: 'admin',
    } as const
    for (const caller of [machine, { type: 'system' }, { type: 'anonymous' }] as const) {
      expect(codeOf(await joinOrganization(seatgate, { caller }, input))).toBe('insufficient_role')
    }
  })

  it.each([[undefined], [null], [7], [{}], [{ organizationId: 7 }], [[]]])(
    'refuses bad input: %j',
    async (input) => {
      const userId = await newUser()
      const answer = await joinOrganization(seatgate, { caller: { userId } }, input as never)
      expect(codeOf(answer)).toBe('validation_error')
    }
  )

  it('is refused at a full organization that keeps no line', async () => {
    const organization = await openOrganization(refusing, 'auto', 1)
    const userId = await neighbourOf(organization)
    expect(await joinAs(refusing, organization, userId)).toEqual({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 1, used: 1 },
    })
    expect(await requestsOf(organization)).toEqual([])
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it.each(enforcing.flatMap((provider) => delays.map((delayMs) => [provider, delayMs] as const)))(
    'admits exactly as many users as there are seats when fifty join at once (%s, %i ms)',
    async (provider, delayMs) => {
      const rush = createJoiningKit({ provider, delayMs }, { whenFull: {} })
      const organization = await openOrganization(rush, 'auto', 10)
      const people = await Promise.all(Array.from({ length: 50 }, () => neighbourOf(organization)))
      const answers = await Promise.all(people.map((userId) => joinAs(rush, organization, userId)))
      await rush.settled()
      const codes = answers.map(codeOf)
      expect(codes.filter((code) => code === 'ok')).toHaveLength(9)
      expect(codes.filter((code) => code === 'seat_limit_reached')).toHaveLength(41)
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    }
  )

  it('creates one membership for a user who joins ten times at once', async () => {
    const far = createJoiningKit({ delayMs: 5 }, { whenFull: {} })
    const organization = await openOrganization(far, 'auto', 10)
    const userId = await neighbourOf(organization)
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => joinAs(far, organization, userId))
    )
    await far.settled()
    for (const answer of answers) expect(codeOf(answer)).toMatch(/^ok$|^operation_in_progress$/)
    expect(await membersOf(organization)).toEqual([userId])
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })
})

describe('asking to join', () => {
  it('waits for an approval', async () => {
    const organization = await openOrganization(kit, 'request', 5)
    const scope = organization.as(organization.owner)
    const { userId, outcome } = await joinByDomain(kit, organization)
    if (outcome.status !== 'requested') throw new Error(outcome.status)
    expect(outcome.request).toMatchObject({ userId, state: 'open', role: 'member' })
    expect(unwrap(await joinAs(kit, organization, userId))).toEqual(outcome)
    const listed = unwrap(await listJoinRequests(seatgate, scope))
    expect(listed.data).toEqual([
      {
        ...outcome.request,
        user: { email: expect.stringMatching(organization.domain.domain), name: 'Ann' },
        ahead: null,
      },
    ])
    const approved = unwrap(await approve(kit, organization, outcome.request.id))
    expect(approved).toMatchObject({ status: 'joined', membership: { userId, role: 'member' } })
    await kit.settled()
    expect(unwrap(await listJoinRequests(seatgate, scope)).data).toEqual([])
    expect(codeOf(await approve(kit, organization, outcome.request.id))).toBe('not_pending')
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('may end in another role, as far as the approver may grant it', async () => {
    const organization = await openOrganization(refusing, 'request')
    const admin = await join(refusing, organization, 'admin')
    const { outcome, userId } = await joinByDomain(refusing, organization)
    if (outcome.status !== 'requested') throw new Error(outcome.status)
    const { id } = outcome.request
    const byAdmin = { ...organization, owner: admin }
    expect(codeOf(await approve(refusing, byAdmin, id, { role: 'owner' }))).toBe(
      'insufficient_role'
    )
    expect(codeOf(await approve(refusing, byAdmin, id, { role: 'guest' }))).toBe('validation_error')
    const approved = unwrap(await approve(refusing, byAdmin, id, { role: 'admin' }))
    expect(approved).toMatchObject({ membership: { userId, role: 'admin' } })
  })

  it('may be declined, and is possible again after a day', async () => {
    let time = Date.UTC(2030, 0, 1)
    const slow = createJoiningKit({ now: () => new Date(time) })
    const organization = await openOrganization(slow, 'request')
    const scope = organization.as(organization.owner)
    const { userId, outcome } = await joinByDomain(slow, organization)
    if (outcome.status !== 'requested') throw new Error(outcome.status)
    const { id } = outcome.request
    const declined = unwrap(await declineJoinRequest(slow.seatgate, scope, id))
    expect(declined.state).toBe('declined')
    expect(await lastEventOf(organization.id)).toMatchObject({
      action: 'organization.join_request.declined',
      targetType: 'join_request',
      targetId: id,
      metadata: { user_id: userId },
    })
    expect(codeOf(await declineJoinRequest(slow.seatgate, scope, id))).toBe('not_pending')
    expect(codeOf(await approve(slow, organization, id))).toBe('not_pending')
    time += 60 * 60 * 1000
    expect(await joinAs(slow, organization, userId)).toEqual({
      ok: false,
      error: { code: 'rate_limited_user', retryAfterSeconds: 23 * 60 * 60 },
    })
    time += 23 * 60 * 60 * 1000
    expect(unwrap(await joinAs(slow, organization, userId)).status).toBe('requested')
  })

  it('refuses the eleventh request of a day, even if each was withdrawn [A10]', async () => {
    let time = Date.UTC(2030, 0, 1)
    const slow = createJoiningKit({ now: () => new Date(time) })
    const organization = await openOrganization(slow, 'request')
    const { userId, outcome } = await joinByDomain(slow, organization)
    const caller = { userId }
    let last = outcome
    for (let request = 2; request <= 11; request++) {
      if (last.status !== 'requested') throw new Error(last.status)
      unwrap(await withdrawJoinRequest(slow.seatgate, { caller }, last.request.id))
      if (request <= 10) last = unwrap(await joinAs(slow, organization, userId))
    }
    const rows = await everything()
    expect(await joinAs(slow, organization, userId)).toMatchObject({
      error: { code: 'rate_limited_user', retryAfterSeconds: 24 * 60 * 60 },
    })
    expect(await everything()).toEqual(rows)
    time += 24 * 60 * 60 * 1000
    expect(unwrap(await joinAs(slow, organization, userId)).status).toBe('requested')
  })

  it('can be withdrawn by its requester, and by no other user', async () => {
    const organization = await openOrganization(kit, 'request')
    const { userId, outcome } = await joinByDomain(kit, organization)
    if (outcome.status !== 'requested') throw new Error(outcome.status)
    const { id } = outcome.request
    const by = (who: string) => withdrawJoinRequest(seatgate, { caller: { userId: who } }, id)
    expect(codeOf(await by(organization.owner))).toBe('not_found')
    expect(unwrap(await by(userId)).state).toBe('withdrawn')
    expect(codeOf(await by(userId))).toBe('not_pending')
    expect(unwrap(await joinAs(kit, organization, userId)).status).toBe('requested')
  })

  it('is closed when the user joins in another way', async () => {
    const organization = await openOrganization(kit, 'request')
    const { userId, outcome } = await joinByDomain(kit, organization)
    if (outcome.status !== 'requested') throw new Error(outcome.status)
    await join(kit, organization, 'admin', userId)
    const approved = unwrap(await approve(kit, organization, outcome.request.id))
    expect(approved).toMatchObject({ status: 'joined', membership: { userId, role: 'admin' } })
    expect(await requestsOf(organization)).toEqual([{ user_id: userId, state: 'closed' }])
  })

  it('is decided by administrators of members', async () => {
    const organization = await openOrganization(kit, 'request')
    const other = await kit.organization()
    const { outcome } = await joinByDomain(kit, organization)
    if (outcome.status !== 'requested') throw new Error(outcome.status)
    const { id } = outcome.request
    const member = { ...organization, owner: await join(kit, organization) }
    const stranger = { ...organization, owner: await newUser() }
    const acts = [
      (by: typeof organization) => approve(kit, by, id),
      (by: typeof organization) => declineJoinRequest(seatgate, by.as(by.owner), id),
      (by: typeof organization) => listJoinRequests(seatgate, by.as(by.owner)),
    ]
    const rows = await everything()
    for (const act of acts) {
      expect(codeOf(await act(member))).toBe('insufficient_role')
      expect(codeOf(await act(stranger))).toBe('organization_not_found')
    }
    expect(codeOf(await approve(kit, other, id))).toBe('not_found')
    expect(codeOf(await declineJoinRequest(seatgate, other.as(other.owner), id))).toBe('not_found')
    expect(await everything()).toEqual(rows)
  })

  it('is over with the organization', async () => {
    const organization = await openOrganization(kit, 'request')
    const { userId } = await joinByDomain(kit, organization)
    await softDeleted(seatgate, organization)
    expect(await requestsOf(organization)).toEqual([{ user_id: userId, state: 'closed' }])
  })

  it('is decided once when it is approved and declined at the same time', async () => {
    const far = createJoiningKit({ delayMs: 5 }, { whenFull: {} })
    for (let round = 0; round < 5; round++) {
      const organization = await openOrganization(far, 'request', 5)
      const { userId, outcome } = await joinByDomain(far, organization)
      if (outcome.status !== 'requested') throw new Error(outcome.status)
      const { id } = outcome.request
      const scope = organization.as(organization.owner)
      const answers = await Promise.all([
        approve(far, organization, id),
        declineJoinRequest(far.seatgate, scope, id),
        withdrawJoinRequest(far.seatgate, { caller: { userId } }, id),
      ])
      await far.settled()
      expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
      expect(await membersOf(organization)).toHaveLength(answers[0].ok ? 1 : 0)
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    }
  })
})

describe('the organizations that a user may join', () => {
  it('is listed, with how, until one is in', async () => {
    const organization = await openOrganization(kit, 'request')
    const userId = await neighbourOf(organization)
    const joinable = async () =>
      unwrap(await listJoinableOrganizations(seatgate, { caller: { userId } })).data
    const { id, slug } = organization
    expect(await joinable()).toEqual([
      { organization: { id, name: 'Test', slug }, mode: 'request' },
    ])
    await join(kit, organization, 'member', userId)
    expect(await joinable()).toEqual([])
  })
})
