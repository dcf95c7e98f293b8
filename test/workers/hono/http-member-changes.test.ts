import { describe, expect, it } from 'vitest'
import type { Membership } from '../../../src/index.ts'
import { host, problem, rowCounts, type Person, fullTeam, testEnv } from '../../kit/index.ts'

describe('PATCH /organizations/:org/members/:userId', () => {
  it('changes the role with the next request, and keeps the sessions [ORG-93 ORG-95]', async () => {
    const { owner, member, stranger, members, memberPath } = await fullTeam()
    const response = await host.patch(memberPath(member), { role: 'admin' }, owner.token)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ userId: member.userId, role: 'admin' })
    const input = { userId: stranger.userId, role: 'member' }
    expect((await host.post(members, input, member.token)).status).toBe(201)
  })

  it('answers 200 to the role they have, and writes no row [ORG-94]', async () => {
    const { owner, member, memberPath } = await fullTeam()
    const before = await rowCounts()
    expect((await host.patch(memberPath(member), { role: 'member' }, owner.token)).status).toBe(200)
    expect(await rowCounts()).toEqual(before)
  })

  it('keeps owners out of the hands of admins [ORG-82 ORG-83]', async () => {
    const { owner, admin, member, memberPath } = await fullTeam()
    for (const [target, role] of [
      [owner, 'member'],
      [owner, 'owner'],
      [member, 'owner'],
      [admin, 'owner'],
    ] as const) {
      const answer = await host.patch(memberPath(target), { role }, admin.token)
      expect(await problem(answer)).toMatchObject({ status: 403, code: 'insufficient_role' })
    }
  })

  it('keeps the last owner, and ORG-104: demotes one of two [ORG-103]', async () => {
    const { owner, admin, memberPath } = await fullTeam()
    const before = await rowCounts()
    const answer = await host.patch(memberPath(owner), { role: 'admin' }, owner.token)
    expect(await problem(answer)).toMatchObject({ status: 409, code: 'last_owner' })
    expect(await rowCounts()).toEqual(before)
    await host.patch(memberPath(admin), { role: 'owner' }, owner.token)
    const second = await host.patch(memberPath(owner), { role: 'admin' }, owner.token)
    expect([second.status, (await second.json<Membership>()).role]).toEqual([200, 'admin'])
  })

  it.each([
    ['ORG-109: removes', 'DELETE', 'DELETE'],
    ['ORG-110: demotes', 'PATCH', 'PATCH'],
    ['ORG-111: removes or demotes', 'DELETE', 'PATCH'],
  ])('%s one of two owners who remove each other', async (_what, left, right) => {
    const { owner, admin, organization, memberPath } = await fullTeam()
    await host.patch(memberPath(admin), { role: 'owner' }, owner.token)
    const input = (method: string) => (method === 'PATCH' ? { role: 'member' } : undefined)
    const answers = await Promise.all([
      host.send(left, memberPath(admin), input(left), owner.token),
      host.send(right, memberPath(owner), input(right), admin.token),
    ])
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status < 300)).toHaveLength(1)
    const owners = await testEnv.DB.prepare(
      "SELECT count(*) AS n FROM seatgate_memberships WHERE organization_id = ? AND role = 'owner'"
    )
      .bind(organization.id)
      .first('n')
    expect(owners).toBe(1)
  })

  it('answers not_found for a user who is no member, after the input', async () => {
    const { owner, member, stranger, memberPath } = await fullTeam()
    const codeOf = async (role: string, token: string) =>
      (await problem(await host.patch(memberPath(stranger), { role }, token))).code
    expect(await codeOf('admin', owner.token)).toBe('not_found')
    expect(await codeOf('emperor', owner.token)).toBe('validation_error')
    expect(await codeOf('emperor', member.token)).toBe('insufficient_role')
  })
})

describe('DELETE /organizations/:org/members/:userId', () => {
  it('answers 204 without a body, and deletes the row [ORG-86]', async () => {
    const { owner, member, memberPath } = await fullTeam()
    const response = await host.delete(memberPath(member), owner.token)
    expect([response.status, await response.text()]).toEqual([204, ''])
    const row = testEnv.DB.prepare('SELECT 1 FROM seatgate_memberships WHERE user_id = ?').bind(
      member.userId
    )
    expect(await row.first()).toBeNull()
  })

  it('answers not_found to the second removal, and writes no row [ORG-89]', async () => {
    const { owner, member, memberPath } = await fullTeam()
    await host.delete(memberPath(member), owner.token)
    const before = await rowCounts()
    const again = await host.delete(memberPath(member), owner.token)
    expect(await problem(again)).toMatchObject({ status: 404, code: 'not_found' })
    expect(await rowCounts()).toEqual(before)
  })

  it('does not reach into another organization [ORG-85]', async () => {
    const [mine, theirs] = [await fullTeam(), await fullTeam()]
    const path = `${mine.members}/${theirs.member.userId}`
    expect(await problem(await host.delete(path, mine.owner.token))).toMatchObject({
      status: 404,
      code: 'not_found',
    })
    const still = await host.get(theirs.members, theirs.member.token)
    expect(still.status).toBe(200)
  })

  it('lets every member leave, but the sole owner stays [ORG-96]', async () => {
    const { owner, member, memberPath } = await fullTeam()
    expect((await host.delete(memberPath(member), member.token)).status).toBe(204)
    const before = await rowCounts()
    const answer = await host.delete(memberPath(owner), owner.token)
    expect(await problem(answer)).toMatchObject({ status: 409, code: 'last_owner' })
    expect(await rowCounts()).toEqual(before)
  })

  it('lets plain members remove no member, and admins all but owners', async () => {
    const { owner, admin, member, memberPath } = await fullTeam()
    const codeOf = async (target: Person, by: Person) => {
      const response = await host.delete(memberPath(target), by.token)
      return response.status === 204 ? 'removed' : (await problem(response)).code
    }
    expect(await codeOf(admin, member)).toBe('insufficient_role')
    expect(await codeOf(owner, admin)).toBe('insufficient_role')
    expect(await codeOf(member, admin)).toBe('removed')
  })
})
