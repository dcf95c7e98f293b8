import { exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { Organization } from '../../../src/index.ts'
import {
  allPages,
  asUser,
  embedded,
  host,
  postMember,
  NUMBERS,
  postOrganization,
  people,
  person,
  problem,
  rowCounts,
  testEnv,
} from '../../kit/index.ts'

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const newSlug = () => `org-${crypto.randomUUID().slice(0, 8)}`

type Own = { organization: Organization; role: string }

describe('GET /healthz', () => {
  it('answers 200 to every caller', async () => {
    const response = await host.get('/healthz')
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ status: 'ok' })
  })
})

describe('POST /organizations', () => {
  it('answers 201 with the organization only [ORG-1]', async () => {
    const { token, userId } = await person()
    const slug = newSlug()
    const response = await host.post('/organizations', { name: ' Acme ', slug }, token)
    expect(response.status).toBe(201)
    expect(response.headers.get('content-type')).toBe('application/json')
    const organization = await response.json<Organization>()
    expect(organization).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'Acme',
      slug,
      founderUserId: userId,
      personal: false,
      enforceMfaForMembers: false,
      createdAt: expect.stringMatching(ISO),
      updatedAt: organization.createdAt,
    })
  })

  it('makes the creator the owner, in the first seat [ORG-2]', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner)
    const rows = await testEnv.DB.prepare(
      'SELECT user_id, role, status, seat_id IS NOT NULL AS seated FROM seatgate_memberships WHERE organization_id = ?'
    )
      .bind(id)
      .all()
    expect(rows.results).toEqual([
      { user_id: owner.userId, role: 'owner', status: 'active', seated: 1 },
    ])
  })

  it('makes a slug of the name if no slug is given [ORG-4 ORG-5]', async () => {
    const { token } = await person()
    const mark = crypto.randomUUID().slice(0, 8)
    for (const slug of [undefined, null]) {
      const name = `My Cool Project ${mark} ${slug}`
      const response = await host.post('/organizations', { name, slug }, token)
      expect(await response.json()).toMatchObject({ slug: `my-cool-project-${mark}-${slug}` })
    }
  })

  it('takes only name and slug from the input [ORG-11 ORG-12]', async () => {
    const [owner, other] = await people(2)
    const input = {
      id: 'mine',
      ownerUserId: other!.userId,
      owner_user_id: other!.userId,
      deletedAt: 1,
    }
    const made = await postOrganization(owner!, { ...input } as object)
    expect(made.id).not.toBe('mine')
    const row = await testEnv.DB.prepare('SELECT * FROM seatgate_organizations WHERE id = ?')
      .bind(made.id)
      .first()
    expect(row).toMatchObject({ owner_user_id: owner!.userId, deleted_at: null })
  })

  it('leaves the session’s active organization unchanged [ORG-14]', async () => {
    const owner = await person()
    await postOrganization(owner)
    const active = await testEnv.DB.prepare(
      'SELECT active_organization_id AS active FROM seatgate_sessions WHERE user_id = ?'
    )
      .bind(owner.userId)
      .first('active')
    expect(active).toBeNull()
  })

  it('refuses a slug that a live organization has, and writes no row [ORG-8]', async () => {
    const owner = await person()
    const { slug } = await postOrganization(owner)
    const before = await rowCounts()
    const answer = await host.post('/organizations', { name: 'Other', slug }, owner.token)
    expect(await problem(answer)).toEqual({
      status: 422,
      code: 'validation_error',
      fields: ['slug'],
    })
    expect(await rowCounts()).toEqual(before)
  })

  it('gives a slug to one of ten at once, and refuses nine [ORG-8]', async () => {
    const slug = newSlug()
    const racers = await people(10)
    const answers = await Promise.all(
      racers.map(({ token }) => host.post('/organizations', { name: 'Race', slug }, token))
    )
    const lost = answers.filter(({ status }) => status !== 201)
    expect(lost).toHaveLength(9)
    for (const answer of lost) expect(await problem(answer)).toMatchObject({ fields: ['slug'] })
    const memberships = await testEnv.DB.prepare(
      'SELECT count(*) AS n FROM seatgate_memberships WHERE organization_id IN (SELECT id FROM seatgate_organizations WHERE slug = ?)'
    )
      .bind(slug)
      .first('n')
    expect(memberships).toBe(1)
  })

  it('gives a deleted organization’s slug away again [ORG-27]', async () => {
    const owner = await person()
    const { id, slug } = await postOrganization(owner)
    await remove(id)
    expect((await host.post('/organizations', { name: 'Next', slug }, owner.token)).status).toBe(
      201
    )
  })
})

describe('GET /organizations', () => {
  it('lists pairs of organization and role, newest membership first, live ones only [ORG-117]', async () => {
    const [me, other] = await people(2)
    const first = await postOrganization(me!)
    const theirs = await postOrganization(other!)
    const gone = await postOrganization(me!)
    await postMember(theirs, other!, me!, 'admin')
    await remove(gone.id)
    await joinedAt(me!.userId, [first.id, theirs.id])
    const response = await host.get('/organizations', me!.token)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      data: [
        { organization: theirs, role: 'admin' },
        { organization: first, role: 'owner' },
      ],
      nextCursor: null,
    })
  })

  it('leaves out organizations in which the caller is suspended', async () => {
    const me = await person()
    await postOrganization(me)
    await testEnv.DB.prepare(
      "UPDATE seatgate_memberships SET status = 'suspended', seat_id = NULL WHERE user_id = ?"
    )
      .bind(me.userId)
      .run()
    const response = await host.get('/organizations', me.token)
    expect(await response.json()).toEqual({ data: [], nextCursor: null })
  })

  it.each([
    ['different times', 'value'],
    ['one and the same time', '7'],
  ])('pages through 120 organizations of %s without repeat or gap', async (_what, time) => {
    const me = await person()
    const mark = crypto.randomUUID()
    await testEnv.DB.batch([
      testEnv.DB.prepare(
        `INSERT INTO seatgate_organizations (id, name, slug, owner_user_id, created_at, updated_at)
         SELECT ?1 || value, 'Acme', ?1 || value, ?2, value, value FROM json_each(?3)`
      ).bind(mark, me.userId, NUMBERS),
      testEnv.DB.prepare(
        `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, seat_id, created_at, updated_at)
         SELECT ?1 || value, ?1 || value, ?2, 'owner', ?1 || value, ${time}, value FROM json_each(?3)`
      ).bind(mark, me.userId, NUMBERS),
    ])
    const pages = await allPages<Own>('/organizations', me.token, 50)
    expect(pages.map(({ length }) => length)).toEqual([50, 50, 20])
    const ids = pages.flat().map(({ organization }) => organization.id)
    expect(new Set(ids).size).toBe(120)
    if (time === 'value') expect(ids[0]).toBe(`${mark}120`)
    expect(pages.flat()[0]?.organization.createdAt).toMatch(ISO)
  })
})

describe('GET /organizations/:org', () => {
  it('finds it by id and by slug, in any case [ORG-114]', async () => {
    const owner = await person()
    const organization = await postOrganization(owner)
    const { id, slug } = organization
    for (const name of [id, slug, id.toUpperCase(), slug.toUpperCase()]) {
      const response = await host.get(`/organizations/${name}`, owner.token)
      expect(response.status).toBe(200)
      expect(await response.json()).toEqual(organization)
    }
  })

  it('shows it to every member', async () => {
    const [owner, member] = await people(2)
    const organization = await postOrganization(owner!)
    await postMember(organization, owner!, member!)
    const response = await host.get(`/organizations/${organization.slug}`, member!.token)
    expect(await response.json()).toEqual(organization)
  })

  it('is absent for a removed member from the next request on [ORG-92]', async () => {
    const [owner, member] = await people(2)
    const { id, ...rest } = await postOrganization(owner!)
    await postMember({ id, ...rest }, owner!, member!)
    await host.delete(`/organizations/${id}/members/${member!.userId}`, owner!.token)
    expect((await host.get(`/organizations/${id}`, member!.token)).status).toBe(404)
  })
})

describe('PATCH /organizations/:org', () => {
  it('changes the name only [ORG-17]', async () => {
    const owner = await person()
    const before = await postOrganization(owner)
    const input = { name: ' Acme Inc. ', slug: 'stolen', id: 'stolen', ownerUserId: 'stolen' }
    const response = await host.patch(`/organizations/${before.slug}`, input, owner.token)
    expect(response.status).toBe(200)
    const after = await response.json<Organization>()
    expect(after).toEqual({ ...before, name: 'Acme Inc.', updatedAt: expect.stringMatching(ISO) })
    expect(await (await host.get(`/organizations/${before.id}`, owner.token)).json()).toEqual(after)
  })

  it('writes no row for the name that it has', async () => {
    const owner = await person()
    const organization = await postOrganization(owner)
    const before = await rowCounts()
    const response = await host.patch(
      `/organizations/${organization.id}`,
      { name: 'Acme' },
      owner.token
    )
    expect([response.status, await response.json()]).toEqual([200, organization])
    expect(await rowCounts()).toEqual(before)
  })

  it('lets owners and admins rename, and refuses plain members for any input', async () => {
    const [owner, admin, member] = await people(3)
    const organization = await postOrganization(owner!)
    await postMember(organization, owner!, admin!, 'admin')
    await postMember(organization, owner!, member!)
    const path = `/organizations/${organization.id}`
    expect((await host.patch(path, { name: 'By admin' }, admin!.token)).status).toBe(200)
    for (const input of [{ name: 'By member' }, { name: 7 }, '{']) {
      expect(await problem(await host.patch(path, input, member!.token))).toMatchObject({
        status: 403,
        code: 'insufficient_role',
      })
    }
  })

  it('records two renames at once, one after the other', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner)
    const names = ['One', 'Two', 'Three', 'Four']
    await Promise.all(
      names.map((name) => host.patch(`/organizations/${id}`, { name }, owner.token))
    )
    const renames = await testEnv.DB.prepare(
      "SELECT metadata FROM seatgate_audit_events WHERE organization_id = ? AND action = 'organization.rename' ORDER BY sequence"
    )
      .bind(id)
      .all<{ metadata: string }>()
    let name = 'Acme'
    for (const { metadata } of renames.results) {
      const { old_name, new_name } = JSON.parse(metadata) as { old_name: string; new_name: string }
      expect(old_name).toBe(name)
      name = new_name
    }
    expect(names).toContain(name)
    const now = await host.get(`/organizations/${id}`, owner.token)
    expect(await now.json()).toMatchObject({ name })
  })
})

describe('the worker’s own exports', () => {
  it('answers not_found, as a problem, to paths that it does not have', async () => {
    const { token } = await person()
    for (const path of ['/nothing', '/organizations/acme/nothing']) {
      const response = await host.get(path, token)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      expect(await response.json()).toEqual({
        type: 'urn:seatgate:refusal:not_found',
        title: expect.any(String),
        status: 404,
        code: 'not_found',
      })
    }
    expect(Object.keys(exports)).toEqual(expect.arrayContaining(['default', 'SeatLedger']))
  })
})

describe('a host with its own roles', () => {
  it('gives the founder its owner role and asks its own role sets', async () => {
    const [chief, clerk] = await people(2)
    const own = embedded({
      roles: ['chief', 'clerk'],
      ownerRole: 'chief',
      invitationAdminRoles: ['clerk'],
      memberAdminRoles: ['chief'],
      organizationAdminRoles: ['clerk'],
    })
    const { id } = await postOrganization({ token: asUser(chief!) }, {}, own)
    const path = `/organizations/${id}`
    const joined = await own.post(
      `${path}/members`,
      { userId: clerk!.userId, role: 'clerk' },
      asUser(chief!)
    )
    expect(joined.status).toBe(201)
    expect((await own.patch(path, { name: 'X' }, asUser(chief!))).status).toBe(403)
    expect((await own.patch(path, { name: 'X' }, asUser(clerk!))).status).toBe(200)
    expect((await own.get(`${path}/audit`, asUser(clerk!))).status).toBe(403)
  })
})

async function remove(id: string): Promise<void> {
  await testEnv.DB.prepare('UPDATE seatgate_organizations SET deleted_at = 1 WHERE id = ?')
    .bind(id)
    .run()
}

// Organizations made in one millisecond have no order that a test could tell beforehand.
async function joinedAt(userId: string, organizationIds: readonly string[]): Promise<void> {
  await testEnv.DB.batch(
    organizationIds.map((id, index) =>
      testEnv.DB.prepare(
        'UPDATE seatgate_memberships SET created_at = ? WHERE user_id = ? AND organization_id = ?'
      ).bind(index + 1, userId, id)
    )
  )
}
