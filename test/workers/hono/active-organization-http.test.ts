import { describe, expect, it } from 'vitest'
import type { Member, Organization, Page } from '../../../src/index.ts'
import {
  asUser,
  bySession,
  embedded,
  host,
  postMember,
  postOrganization,
  people,
  problem,
  rowCounts,
  signUp,
  tokenFor,
  type Person,
  headersOf,
  testEnv,
} from '../../kit/index.ts'

const PATH = '/active-organization'

/** The pointer of a session, by its token's user: everybody here has one session. */
async function pointersOf({ userId }: Pick<Person, 'userId'>): Promise<unknown[]> {
  const { results } = await testEnv.DB.prepare(
    'SELECT active_organization_id AS pointer FROM seatgate_sessions WHERE user_id = ? ORDER BY created_at'
  )
    .bind(userId)
    .all()
  return results.map(({ pointer }) => pointer)
}

async function team() {
  const [owner, member, stranger] = (await people(3)) as [Person, Person, Person]
  const organization = await postOrganization(owner)
  await postMember(organization, owner, member)
  return { owner, member, stranger, organization }
}

describe('GET and PUT /active-organization', () => {
  it('report, set and clear it, and change no cookies [PIPE-2 PIPE-6 PIPE-11 PIPE-14 PIPE-15]', async () => {
    const { member, organization } = await team()
    const answers = [
      await host.get(PATH, member.token),
      await host.put(PATH, { organizationId: organization.id }, member.token),
      await host.get(PATH, member.token),
      await host.put(PATH, { organizationId: organization.slug }, member.token),
      await host.put(PATH, { organizationId: null }, member.token),
      await host.get(PATH, member.token),
    ]
    const there = { organization, role: 'member' }
    const nowhere = { organization: null }
    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([
      nowhere,
      there,
      there,
      there,
      nowhere,
      nowhere,
    ])
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200))
    expect(answers.flatMap(({ headers }) => headers.getSetCookie())).toEqual([])
  })

  it('belongs to the session: another session of the same user is unchanged', async () => {
    const owner = await signUp(`${crypto.randomUUID()}@example.com`)
    const organization = await postOrganization(owner)
    await postOrganization(owner)
    const again = await signIn(owner)
    await host.put(PATH, { organizationId: organization.id }, again.token)
    expect(await (await host.get(PATH, again.token)).json()).toMatchObject({ role: 'owner' })
    expect(await (await host.get(PATH, owner.token)).json()).toEqual({ organization: null })
  })

  it('answers 401 to an anonymous caller and writes no row', async () => {
    const before = await rowCounts()
    for (const token of [null, 'no-such-token']) {
      expect(await problem(await host.get(PATH, token))).toMatchObject({ code: 'unauthenticated' })
      const put = await host.put(PATH, { organizationId: null }, token)
      expect(await problem(put)).toMatchObject({ status: 401, code: 'unauthenticated' })
    }
    expect(await rowCounts()).toEqual(before)
  })

  it('answers the same about an organization that exists and one that does not [PIPE-4]', async () => {
    const { stranger, organization } = await team()
    const answers = await Promise.all(
      [organization.id, organization.slug, crypto.randomUUID(), 'no-such'].map(async (name) => {
        const answer = await host.put(PATH, { organizationId: name }, stranger.token)
        return [answer.status, headersOf(answer), await answer.text()]
      })
    )
    expect(answers[0]).toMatchObject([404, {}, expect.stringContaining('not_a_member')])
    for (const answer of answers) expect(answer).toEqual(answers[0])
    expect(await pointersOf(stranger)).toEqual([null])
  })

  it.each([
    ['nothing', undefined, 400, 'invalid_json'],
    ['no JSON', '{', 400, 'invalid_json'],
    ['no object', [], 422, 'validation_error'],
    ['no organization', {}, 422, 'validation_error'],
    ['a number', { organizationId: 7 }, 422, 'validation_error'],
    ['too much', { organizationId: 'x'.repeat(70_000) }, 413, 'payload_too_large'],
  ])('refuses %s', async (_what, body, status, code) => {
    const { owner, organization } = await team()
    await host.put(PATH, { organizationId: organization.id }, owner.token)
    const answer = await host.put(PATH, body, owner.token)
    expect(await problem(answer)).toMatchObject({ status, code })
    expect(await pointersOf(owner)).toEqual([organization.id])
  })

  it('answers 401 to a user without a session, and to a service account [PIPE-9]', async () => {
    const { owner, organization } = await team()
    const machine = tokenFor({
      type: 'service_account',
      serviceAccountId: 'importer',
      organizationId: organization.id,
      role: 'admin',
    })
    const app = embedded()
    const put = (token: string) => app.put(PATH, { organizationId: organization.id }, token)
    expect(await problem(await put(asUser(owner)))).toMatchObject({
      status: 401,
      code: 'no_session',
    })
    expect(await problem(await put(machine))).toMatchObject({ status: 401, code: 'no_scope' })
    expect(await (await app.get(PATH, machine)).json()).toMatchObject({
      organization: { id: organization.id },
      role: 'admin',
    })
    const none = embedded({ sessions: 'none' }, bySession)
    const answer = await none.put(PATH, { organizationId: organization.id }, owner.token)
    expect(await problem(answer)).toMatchObject({ status: 401, code: 'no_session' })
  })

  it('keeps the id of the request in the trail', async () => {
    const { owner, organization } = await team()
    const headers = { 'cf-ray': '8f2d-VIE' }
    await host.put(PATH, { organizationId: organization.id }, owner.token, headers)
    const { data } = await (
      await host.get(`/organizations/${organization.id}/audit`, owner.token)
    ).json<Page<object>>()
    expect(data[0]).toMatchObject({
      action: 'organization.active_switched',
      requestId: '8f2d-VIE',
      metadata: { from: null, to: organization.id },
    })
  })
})

describe('signing in to the reference host', () => {
  it('starts in the only organization, and nowhere without one or with several [PIPE-52]', async () => {
    const owner = await signUp(`${crypto.randomUUID()}@example.com`)
    const activeOf = async () => {
      const { token } = await signIn(owner)
      return (await host.get(PATH, token)).json<{ organization: Organization | null }>()
    }
    expect(await activeOf()).toEqual({ organization: null })
    const organization = await postOrganization(owner)
    expect(await activeOf()).toEqual({ organization, role: 'owner' })
    await postOrganization(owner)
    expect(await activeOf()).toEqual({ organization: null })
    expect(await pointersOf(owner), 'each session has its own').toEqual([
      null,
      null,
      organization.id,
      null,
    ])
  })

  it('ends and changes with the membership, without signing in again [ORG-95]', async () => {
    const { owner, member, organization } = await team()
    await host.put(PATH, { organizationId: organization.id }, member.token)
    const path = `/organizations/${organization.id}/members/${member.userId}`
    await host.patch(path, { role: 'admin' }, owner.token)
    expect(await (await host.get(PATH, member.token)).json()).toMatchObject({ role: 'admin' })
    await host.delete(path, owner.token)
    const after = await host.get(PATH, member.token)
    expect([after.status, await after.json()]).toEqual([200, { organization: null }])
  })
})

describe('lastActiveAt', () => {
  it('is the last request of a session that works in the organization, to the minute', async () => {
    const { owner, member, organization } = await team()
    const seen = async () => {
      const page = await host.get(`/organizations/${organization.id}/members`, owner.token)
      const { data } = await page.json<Page<Member>>()
      return data.find(({ userId }) => userId === member.userId)?.lastActiveAt
    }
    expect(await seen(), 'a session that points nowhere is seen nowhere').toBeNull()
    await host.put(PATH, { organizationId: organization.id }, member.token)
    const anHourAgo = Date.now() - 3_600_000
    await testEnv.DB.prepare('UPDATE seatgate_sessions SET last_active_at = ? WHERE user_id = ?')
      .bind(anHourAgo, member.userId)
      .run()
    expect(await seen()).toBe(new Date(anHourAgo).toISOString())
    await host.get(PATH, member.token)
    await expect.poll(async () => Date.parse((await seen()) ?? '')).toBeGreaterThan(anHourAgo)
    await host.put(PATH, { organizationId: null }, member.token)
    expect(await seen()).toBeNull()
  })

  it('is not moved by work elsewhere', async () => {
    const { owner, member, organization } = await team()
    const elsewhere = await postOrganization(member)
    await host.put(PATH, { organizationId: elsewhere.id }, member.token)
    await host.get(`/organizations/${organization.id}`, member.token)
    const page = await host.get(`/organizations/${organization.id}/members`, owner.token)
    const { data } = await page.json<Page<Member>>()
    expect(data.map(({ lastActiveAt }) => lastActiveAt)).toEqual([null, null])
    expect(await pointersOf(member)).toEqual([elsewhere.id])
  })
})

async function signIn({ email }: Person): Promise<{ token: string }> {
  const answer = await host.post('/identity/sign-in', { email, password: 'correct horse' })
  if (answer.status !== 200) throw new Error(`sign-in answered ${answer.status}`)
  return answer.json()
}
