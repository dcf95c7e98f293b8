import { describe, expect, it } from 'vitest'
import type { Member, Membership } from '../../../src/index.ts'
import {
  allPages,
  asUser,
  embedded,
  host,
  limitTo,
  NUMBERS,
  postOrganization,
  problem,
  rowCounts,
  type Person,
  fullTeam,
  memberPaths,
  testEnv,
} from '../../kit/index.ts'

const MEMBERSHIP = 'id, organization_id, user_id, role, seat_id, created_at, updated_at'
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

describe('POST /organizations/:org/members', () => {
  it('answers 201 with the membership [ORG-76]', async () => {
    const { owner, stranger, organization, members } = await fullTeam()
    const input = { userId: stranger.userId, role: 'admin', status: 'suspended', seatId: 'mine' }
    const response = await host.post(members, input, owner.token)
    expect(response.status).toBe(201)
    const membership = await response.json<Membership>()
    expect(membership).toEqual({
      id: expect.any(String),
      organizationId: organization.id,
      userId: stranger.userId,
      role: 'admin',
      status: 'active',
      createdAt: expect.stringMatching(ISO),
      updatedAt: membership.createdAt,
    })
  })

  it('answers 200 with the membership there is to the same role, and writes no row [ORG-78]', async () => {
    const { owner, stranger, members } = await fullTeam()
    const input = { userId: stranger.userId, role: 'member' }
    const first = await host.post(members, input, owner.token)
    const before = await rowCounts()
    const again = await host.post(members, input, owner.token)
    expect([again.status, await again.text()]).toEqual([200, await first.text()])
    expect(await rowCounts()).toEqual(before)
  })

  it('answers already_member to another role [ORG-79]', async () => {
    const { owner, member, members } = await fullTeam()
    const before = await rowCounts()
    const answer = await host.post(members, { userId: member.userId, role: 'admin' }, owner.token)
    expect(await problem(answer)).toMatchObject({ status: 409, code: 'already_member' })
    expect(await rowCounts()).toEqual(before)
  })

  it('refuses a role that there is not, no role, and a user that there is not [ORG-77]', async () => {
    const { owner, stranger, members } = await fullTeam()
    const before = await rowCounts()
    const cases = [
      [{ userId: stranger.userId, role: 'superadmin' }, ['role']],
      [{ userId: stranger.userId }, ['role']],
      [{ userId: stranger.userId, role: null }, ['role']],
      [{ userId: 'nobody', role: 'member' }, ['userId']],
      [{ userId: '', role: 'member' }, ['userId']],
      [{ userId: 7, role: 7 }, ['userId', 'role']],
    ] as const
    for (const [input, fields] of cases) {
      const answer = await host.post(members, input, owner.token)
      expect(await problem(answer)).toEqual({ status: 422, code: 'validation_error', fields })
    }
    expect(await rowCounts()).toEqual(before)
  })

  it('lets an owner add an owner, and no admin [ORG-82]', async () => {
    const { owner, admin, stranger, members } = await fullTeam()
    const input = { userId: stranger.userId, role: 'owner' }
    const byAdmin = await host.post(members, input, admin.token)
    expect(await problem(byAdmin)).toMatchObject({ status: 403, code: 'insufficient_role' })
    expect((await host.post(members, input, owner.token)).status).toBe(201)
  })

  it('refuses a plain member before it looks at the input [ORG-81]', async () => {
    const { member, stranger, members } = await fullTeam()
    const before = await rowCounts()
    for (const input of [{ userId: stranger.userId, role: 'member' }, { role: 'emperor' }, '{']) {
      expect(await problem(await host.post(members, input, member.token))).toMatchObject({
        status: 403,
        code: 'insufficient_role',
      })
    }
    expect(await rowCounts()).toEqual(before)
  })

  it('adds one member of ten requests at once', async () => {
    const { owner, stranger, organization, members } = await fullTeam()
    const input = { userId: stranger.userId, role: 'member' }
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => host.post(members, input, owner.token))
    )
    const created = answers.filter(({ status }) => status === 201)
    expect(created).toHaveLength(1)
    for (const answer of answers.filter((one) => ![200, 201].includes(one.status))) {
      expect(await problem(answer)).toMatchObject({ status: 409, code: 'operation_in_progress' })
    }
    const seats = await host.get(`/organizations/${organization.id}/seats`, owner.token)
    expect(await seats.json()).toMatchObject({ held: 4, reserved: 0 })
  })

  it('takes every user id that the host names, where it has no table of users', async () => {
    const open = embedded({ users: undefined as never })
    const token = asUser({ userId: 'founder' })
    const { id } = await postOrganization({ token }, {}, open)
    const added = await open.post(
      memberPaths(id).members,
      { userId: 'guest', role: 'member' },
      token
    )
    expect(added.status).toBe(201)
    const list = await (await open.get(memberPaths(id).members, token)).json<{ data: Member[] }>()
    expect(list.data.map(({ user }) => user)).toEqual([null, null])
  })
})

describe('the order of checks', () => {
  it('is authentication, absence, role, input, already member, seats', async () => {
    const { owner, admin, member, stranger, organization, members } = await fullTeam()
    await limitTo(organization, 3)
    const bad = { userId: member.userId, role: 'emperor' }
    const present = { userId: member.userId, role: 'admin' }
    const growth = { userId: stranger.userId, role: 'member' }
    const expected: [string | null, unknown, number, string][] = [
      [null, '{', 401, 'unauthenticated'],
      ['wrong', '{', 401, 'unauthenticated'],
      [stranger.token, '{', 404, 'organization_not_found'],
      [stranger.token, bad, 404, 'organization_not_found'],
      [stranger.token, growth, 404, 'organization_not_found'],
      [member.token, '{', 403, 'insufficient_role'],
      [member.token, bad, 403, 'insufficient_role'],
      [member.token, growth, 403, 'insufficient_role'],
      [admin.token, '{', 400, 'invalid_json'],
      [admin.token, bad, 422, 'validation_error'],
      [admin.token, { ...present, role: 'owner' }, 403, 'insufficient_role'],
      [admin.token, present, 409, 'already_member'],
      [owner.token, growth, 409, 'seat_limit_reached'],
    ]
    for (const [token, input, status, code] of expected) {
      const answer = await host.post(members, input, token)
      expect({ input, ...(await problem(answer)) }).toMatchObject({ input, status, code })
    }
  })

  it.each([
    ['no user', 401, 'unauthenticated'],
    ['a stranger', 404, 'organization_not_found'],
    ['a plain member', 403, 'insufficient_role'],
  ])(
    'holds for a bad Idempotency-Key: %s receives more than the key',
    async (who, status, code) => {
      const { member, stranger, members } = await fullTeam()
      const tokens = {
        'no user': 'wrong',
        'a stranger': stranger.token,
        'a plain member': member.token,
      }
      const token = tokens[who as keyof typeof tokens]
      const headers = { 'idempotency-key': 'two words' }
      const answer = await host.post(members, {}, token, headers)
      expect(await problem(answer)).toMatchObject({ status, code })
    }
  )
})

describe('GET /organizations/:org/members', () => {
  it('shows members to members, newest first, with the person and their last activity here', async () => {
    const { owner, admin, member, organization, members } = await fullTeam()
    await testEnv.DB.batch([
      testEnv.DB.prepare('UPDATE seatgate_memberships SET created_at = 3 WHERE user_id = ?').bind(
        owner.userId
      ),
      testEnv.DB.prepare('UPDATE seatgate_memberships SET created_at = 2 WHERE user_id = ?').bind(
        admin.userId
      ),
      testEnv.DB.prepare('UPDATE seatgate_memberships SET created_at = 1 WHERE user_id = ?').bind(
        member.userId
      ),
      testEnv.DB.prepare(
        'UPDATE seatgate_sessions SET active_organization_id = ?, last_active_at = 9 WHERE user_id = ?'
      ).bind(organization.id, admin.userId),
      testEnv.DB.prepare(
        "UPDATE seatgate_sessions SET active_organization_id = 'other' WHERE user_id = ?"
      ).bind(member.userId),
    ])
    const response = await host.get(members, member.token)
    expect(response.status).toBe(200)
    const shown = (
      { userId, email }: Person,
      role: string,
      time: number,
      active: string | null
    ) => ({
      id: expect.any(String),
      userId,
      role,
      status: 'active',
      user: { id: userId, email, name: null },
      lastActiveAt: active,
      createdAt: new Date(time).toISOString(),
    })
    expect(await response.json()).toEqual({
      data: [
        shown(owner, 'owner', 3, null),
        shown(admin, 'admin', 2, new Date(9).toISOString()),
        shown(member, 'member', 1, null),
      ],
      nextCursor: null,
    })
  })

  it.each([
    ['different times', 'value'],
    ['one and the same time', '7'],
  ])('pages through 120 members of %s without repeat or gap', async (_what, time) => {
    const { owner, organization, members } = await fullTeam()
    await testEnv.DB.batch([
      testEnv.DB.prepare(
        'DELETE FROM seatgate_memberships WHERE organization_id = ? AND user_id <> ?'
      ).bind(organization.id, owner.userId),
      testEnv.DB.prepare(
        `INSERT INTO seatgate_memberships (${MEMBERSHIP})
         SELECT ?1 || value, ?1, 'user-' || value, 'member', ?1 || value, ${time}, value FROM json_each(?2) WHERE value < 120`
      ).bind(organization.id, NUMBERS),
    ])
    const pages = await allPages<Member>(members, owner.token, 50)
    expect(pages.map(({ length }) => length)).toEqual([50, 50, 20])
    const all = pages.flat()
    expect(new Set(all.map(({ userId }) => userId)).size).toBe(120)
    const times = all.map(({ createdAt }) => createdAt)
    expect(times).toEqual([...times].sort().reverse())
  })

  it('gives 50 unless asked otherwise, and up to 200', async () => {
    const { owner, organization, members } = await fullTeam()
    await testEnv.DB.prepare(
      `INSERT INTO seatgate_memberships (${MEMBERSHIP})
       SELECT ?1 || value, ?1, 'user-' || value, 'member', ?1 || value, value, value FROM json_each(?2)`
    )
      .bind(organization.id, NUMBERS)
      .run()
    const sizes = async (query: string) => {
      const response = await host.get(`${members}${query}`, owner.token)
      return (await response.json<{ data: unknown[] }>()).data.length
    }
    expect([await sizes(''), await sizes('?limit=1'), await sizes('?limit=200')]).toEqual([
      50, 1, 123,
    ])
  })
})
