import { expect, it } from 'vitest'
import { listAuditEvents } from '../../../../src/index.ts'
import {
  createScimKit,
  ENTERPRISE,
  patch,
  pushedOrganization,
  seatUsageOf,
  unwrap,
  USER,
  type PushedOrganization,
} from '../../../kit/index.ts'

const kit = createScimKit({ provider: 'd1' })

const countEvents = async (organization: PushedOrganization) => {
  const scope = organization.as(organization.owner)
  return unwrap(await listAuditEvents(kit.seatgate, scope, { limit: 200 })).data.length
}

const encoded = encodeURIComponent

// https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20
it('Okta connects, imports, assigns, updates, unassigns and assigns again [SCIM-6]', async () => {
  const organization = await pushedOrganization(kit, 3)
  const { ask } = organization
  const userName = `ann@${organization.domain.domain}`
  expect(await ask('GET', '/Users?startIndex=1&count=2')).toEqual({
    status: 200,
    body: {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 0,
      startIndex: 1,
      itemsPerPage: 0,
      Resources: [],
    },
  })
  expect((await ask('GET', '/Groups?startIndex=1&count=100')).body.totalResults).toBe(0)

  const search = `/Users?filter=${encoded(`userName eq "${userName}"`)}&startIndex=1&count=100`
  expect((await ask('GET', search)).body.totalResults).toBe(0)
  const profile = {
    schemas: [USER],
    userName,
    name: { givenName: 'Ann', familyName: 'Arbor' },
    emails: [{ primary: true, value: userName, type: 'work' }],
    displayName: 'Ann Arbor',
    locale: 'en-US',
    externalId: '00ujl29u0le5T6Aj10h7',
    groups: [],
    password: '1mz050nq',
    active: true,
  }
  const created = await ask('POST', '/Users', profile)
  expect(created.status).toBe(201)
  const { id } = created.body
  expect(created.body).not.toHaveProperty('password')
  expect((await ask('GET', search)).body).toMatchObject({ totalResults: 1, Resources: [{ id }] })
  expect((await ask('GET', `/Users/${id}`)).body).toEqual(created.body)

  const { groups: _groups, password: _password, ...kept } = profile
  const renamed = { ...kept, id, name: { givenName: 'Ann', familyName: 'Harbor' } }
  const put = await ask('PUT', `/Users/${id}`, renamed)
  expect(put).toMatchObject({ status: 200, body: { name: { familyName: 'Harbor' }, active: true } })
  const events = await countEvents(organization)
  expect(await ask('PUT', `/Users/${id}`, renamed)).toEqual(put)
  expect(await countEvents(organization)).toBe(events)

  const unassign = patch({ op: 'replace', value: { active: false } })
  expect((await ask('PATCH', `/Users/${id}`, unassign)).body.active).toBe(false)
  expect(await seatUsageOf(kit, organization)).toMatchObject({ held: 1 })
  const after = await countEvents(organization)
  expect((await ask('PATCH', `/Users/${id}`, unassign)).status).toBe(200)
  expect(await countEvents(organization)).toBe(after)
  expect((await ask('PUT', `/Users/${id}`, { ...renamed, active: true })).body.active).toBe(true)
  expect(await seatUsageOf(kit, organization)).toMatchObject({ held: 2 })
})

// https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
it('Entra provisions, updates by paths, disables with "False" and deletes [SCIM-7 MUSEUM-50]', async () => {
  const organization = await pushedOrganization(kit, 3)
  const { ask } = organization
  const address = (name: string) => `${name}@${organization.domain.domain}`
  const missing = `/Users?filter=${encoded(`externalId eq "58342554"`)}`
  expect(await ask('GET', missing)).toMatchObject({ status: 200, body: { totalResults: 0 } })
  const { body, status } = await ask('POST', '/Users', {
    schemas: [USER, ENTERPRISE],
    externalId: '58342554',
    userName: address('test.user'),
    active: true,
    addresses: null,
    displayName: null,
    emails: [{ type: 'work', value: address('test.user'), primary: true }],
    meta: { resourceType: 'User' },
    name: { formatted: 'Test User', familyName: 'User', givenName: 'Test' },
    phoneNumbers: null,
    roles: [],
    title: null,
  })
  expect(status).toBe(201)
  const path = `/Users/${body.id}`
  const update = await ask(
    'PATCH',
    path,
    patch(
      { op: 'Replace', path: 'emails[type eq "work"].value', value: address('updated') },
      { op: 'Replace', path: 'name.familyName', value: 'Updated' },
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '5550123' },
      { op: 'Add', path: `${ENTERPRISE}:department`, value: 'Sales' },
      { op: 'Add', path: `${ENTERPRISE}:manager`, value: 'm-1' },
      {
        op: 'Add',
        value: { 'name.givenName': 'Toni', title: 'Lead', [`${ENTERPRISE}:division`]: 'D' },
      },
      { op: 'Remove', path: 'name.formatted' }
    )
  )
  expect(update).toMatchObject({
    status: 200,
    body: {
      schemas: [USER, ENTERPRISE],
      name: { familyName: 'Updated', givenName: 'Toni' },
      title: 'Lead',
      emails: [{ type: 'work', value: address('updated'), primary: true }],
      phoneNumbers: [{ type: 'mobile', value: '5550123' }],
      [ENTERPRISE]: { department: 'Sales', division: 'D', manager: { value: 'm-1' } },
      active: true,
    },
  })
  expect(update.body.name).not.toHaveProperty('formatted')
  const byMail = `/Users?filter=${encoded(`emails[type eq "work"].value eq "${address('updated')}"`)}`
  expect((await ask('GET', byMail)).body.totalResults).toBe(1)

  const disable = patch({ op: 'Replace', path: 'active', value: 'False' })
  expect(await ask('PATCH', path, disable)).toMatchObject({ status: 200, body: { active: false } })
  expect(await seatUsageOf(kit, organization)).toMatchObject({ held: 1 })
  const enable = patch({ op: 'Add', value: { Active: 'True' } })
  expect(await ask('PATCH', path, enable)).toMatchObject({ status: 200, body: { active: true } })
  expect(await ask('DELETE', path)).toEqual({ status: 204, body: null })
  expect((await ask('GET', path)).status).toBe(404)
  expect((await ask('DELETE', path)).status).toBe(404)
  expect(await seatUsageOf(kit, organization)).toMatchObject({ held: 1 })
})
