import { describe, expect, it } from 'vitest'
import { scim, type ScimOptions } from '../../../../src/hono/scim/index.ts'
import {
  active,
  createScimKit,
  everything,
  patch,
  pushedOrganization,
  USER,
} from '../../../kit/index.ts'

const kit = createScimKit({ provider: 'd1' })
const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error'

describe('an invalid request is refused in the form of SCIM, and changes no row [SCIM-9 MUSEUM-57]', async () => {
  const deep = (levels: number) => `${'('.repeat(levels)}userName eq "a"${')'.repeat(levels)}`
  const filters = {
    'of 10,000 characters': `userName eq "${'a'.repeat(10_000)}"`,
    'of 100 levels': deep(100),
    'with an unknown attribute': 'shoeSize eq "44"',
    'with another operator': 'userName co "a"',
    'without a value': 'userName eq',
    'with a negation': 'not (userName eq "a")',
    'with a text that does not end': 'userName eq "a',
    'with a quote of another kind': "userName eq 'a'",
    'with an unknown operator': 'userName like "a"',
    'that goes on': 'userName eq "a" userName eq "b"',
    'of SQL': `userName eq "a" or 1=1`,
    empty: '',
    'with a number': 'userName eq 5',
    'of 21 comparisons': Array.from({ length: 21 }, () => 'id eq "a"').join(' or '),
  }
  it.each(Object.entries(filters))('a filter %s', async (_name, filter) => {
    const organization = await pushedOrganization(kit)
    const { status, body } = await organization.ask(
      'GET',
      `/Users?filter=${encodeURIComponent(filter)}`
    )
    expect({ status, body }).toMatchObject({
      status: 400,
      body: { schemas: [ERROR], status: '400', scimType: 'invalidFilter' },
    })
  })

  const name = 'ann'
  const changes: Readonly<Record<string, readonly [string, object]>> = {
    'a path that does not exist': ['invalidPath', { op: 'replace', path: 'shoe.size', value: 4 }],
    'a path of a sub-attribute that does not exist': [
      'invalidPath',
      { op: 'replace', path: 'name.shoe', value: 'x' },
    ],
    'a path with a broken filter': [
      'invalidPath',
      { op: 'replace', path: 'emails[type eq', value: 'x' },
    ],
    'a filter on a single value': [
      'invalidPath',
      { op: 'replace', path: 'name[type eq "work"]', value: 'x' },
    ],
    'a path of 10,000 characters': [
      'invalidPath',
      { op: 'replace', path: 'a'.repeat(10_000), value: 'x' },
    ],
    'a filter that no value matches': [
      'noTarget',
      { op: 'replace', path: 'emails[type eq "home"].value', value: 'a@b.example' },
    ],
    'an unknown operation': ['invalidSyntax', { op: 'move', path: 'title', value: 'x' }],
    'no operation': ['invalidSyntax', { path: 'title', value: 'x' }],
    'active as another text': ['invalidValue', { op: 'replace', path: 'active', value: 'maybe' }],
    'active as a number': ['invalidValue', { op: 'replace', path: 'active', value: 0 }],
    'the end of active': ['mutability', { op: 'remove', path: 'active' }],
    'the end of userName': ['mutability', { op: 'remove', path: 'userName' }],
    'an id': ['mutability', { op: 'replace', path: 'id', value: 'x' }],
    'a remove without a path': ['noTarget', { op: 'remove' }],
    'no value': ['invalidValue', { op: 'replace', path: 'title' }],
    'a value that names no attribute': ['invalidPath', { op: 'replace', value: { actve: false } }],
    'a text where a list is': ['invalidValue', { op: 'replace', path: 'emails', value: 'a@b.c' }],
    'an object where a text is': ['invalidValue', { op: 'replace', path: 'title', value: {} }],
    'a text of 2,000 characters': [
      'invalidValue',
      { op: 'replace', path: 'title', value: 'x'.repeat(2000) },
    ],
    'a control character': ['invalidValue', { op: 'replace', path: 'title', value: 'a\u0000b' }],
    'twenty-one addresses': [
      'invalidValue',
      { op: 'replace', path: 'emails', value: Array.from({ length: 21 }, () => ({ value: 'a' })) },
    ],
    'two primary addresses': [
      'invalidValue',
      {
        op: 'replace',
        path: 'emails',
        value: [
          { value: 'a', primary: true },
          { value: 'b', primary: 'True' },
        ],
      },
    ],
  }
  it.each(Object.entries(changes))('a change with %s', async (_name, [scimType, operation]) => {
    const organization = await pushedOrganization(kit)
    const { id } = await organization.push(name, { title: 'Lead' })
    const rows = await everything()
    const { status, body } = await organization.ask(
      'PATCH',
      `/Users/${id}`,
      // What came before it is undone with it.
      patch({ op: 'replace', path: 'title', value: 'Head' }, operation)
    )
    expect({ status, scimType: body.scimType }).toEqual({ status: 400, scimType })
    expect(await everything()).toEqual(rows)
  })

  const bodies: Readonly<Record<string, readonly [number, string | object]>> = {
    'broken JSON': [400, '{'],
    'a list': [400, []],
    'no schemas': [400, { userName: 'ann@acme.example' }],
    'other schemas': [400, { schemas: ['urn:x'], userName: 'ann@acme.example' }],
    'schemas that are a text': [400, { schemas: USER, userName: 'ann@acme.example' }],
    'no userName': [400, { schemas: [USER] }],
    'an empty userName': [400, { schemas: [USER], userName: '  ' }],
    'a userName that is a number': [400, { schemas: [USER], userName: 5 }],
    'no address': [400, { schemas: [USER], userName: 'ann' }],
    'a name twice': [
      400,
      `{"schemas":["${USER}"],"userName":"a@b.example","USERNAME":"c@d.example"}`,
    ],
    'too many bytes': [413, { schemas: [USER], userName: 'x'.repeat(70_000) }],
  }
  it.each(Object.entries(bodies))('a user with %s', async (_name, [status, body]) => {
    const organization = await pushedOrganization(kit)
    await organization.ask('GET', '/Users')
    const rows = await everything()
    const answered = await organization.ask('POST', '/Users', body)
    expect(answered).toMatchObject({ status, body: { schemas: [ERROR], status: String(status) } })
    expect(await everything()).toEqual(rows)
  })

  it.each(['startIndex=a', 'count=1.5', 'count=0x5', 'startIndex=99999999999999'])(
    'a page with %s',
    async (query) => {
      const organization = await pushedOrganization(kit)
      expect(await organization.ask('GET', `/Users?${query}`)).toMatchObject({
        status: 400,
        body: { scimType: 'invalidValue' },
      })
    }
  )

  it('a path without a resource, and a method without a meaning', async () => {
    const organization = await pushedOrganization(kit)
    for (const [method, path] of [
      ['GET', '/Nothing'],
      ['POST', '/Bulk'],
      ['GET', '/Me'],
      ['DELETE', '/Users'],
      ['POST', '/Groups'],
      ['GET', '/Schemas/urn:x'],
    ] as const) {
      expect(await organization.ask(method, path)).toMatchObject({
        status: 404,
        body: { schemas: [ERROR], status: '404' },
      })
    }
  })
})

describe('names', () => {
  it('of attributes have any case, and unknown ones are left out [SCIM-10]', async () => {
    const organization = await pushedOrganization(kit)
    const userName = `ann@${organization.domain.domain}`
    const { status, body } = await organization.ask('POST', '/Users', {
      SCHEMAS: [USER.toUpperCase()],
      USERNAME: userName,
      ACTIVE: 'TRUE',
      Name: { GIVENNAME: 'Ann', shoe: 44 },
      shoeSize: 44,
      'urn:example:extension': { x: 1 },
      __proto__: { admin: true },
    })
    expect(status).toBe(201)
    expect(body).toMatchObject({ userName, active: true, name: { givenName: 'Ann' } })
    expect(Object.keys(body).sort()).toEqual(
      ['active', 'id', 'meta', 'name', 'schemas', 'userName'].sort()
    )
  })

  it('of users are compared without case, and external ids with it', async () => {
    const organization = await pushedOrganization(kit)
    const { domain } = organization.domain
    await organization.push('ann', { externalId: 'Ab' })
    const other = organization.person('ANN')
    expect((await organization.ask('POST', '/Users', other)).body.scimType).toBe('uniqueness')
    const taken = organization.person('ben', { externalId: 'Ab' })
    expect((await organization.ask('POST', '/Users', taken)).body.scimType).toBe('uniqueness')
    const cyd = await organization.push('cyd', { externalId: 'aB' })
    for (const [path, value] of [
      ['userName', `Ann@${domain}`],
      ['externalId', 'Ab'],
    ]) {
      const change = patch({ op: 'replace', path, value })
      const refused = await organization.ask('PATCH', `/Users/${cyd.id}`, change)
      expect(refused).toMatchObject({ status: 409, body: { scimType: 'uniqueness' } })
    }
    const put = organization.person('ann')
    expect((await organization.ask('PUT', `/Users/${cyd.id}`, put)).status).toBe(409)
    const found = await organization.ask('GET', `/Users?filter=USERNAME Eq "ANN@${domain}"`)
    expect(found.body.totalResults).toBe(1)
  })
})

describe('a function of the host', () => {
  it.each([
    ['provision throws', { provision: () => Promise.reject(new Error('down')) }],
    ['provision returns a number', { provision: async () => 5 as never }],
    ['allow throws', { allow: () => Promise.reject(new Error('x')) }],
  ] as const)(
    'that fails is 503, and no row is written: %s',
    async (_name, own: Partial<ScimOptions>) => {
      const failing = createScimKit({ provider: 'd1' }, own)
      const organization = await pushedOrganization(failing)
      await organization.ask('GET', '/Users')
      const rows = await everything()
      const pushed = own.allow ? { userName: 'a@elsewhere.example' } : {}
      const { status, body } = await organization.ask(
        'POST',
        '/Users',
        organization.person('ann', pushed)
      )
      expect({ status, body }).toMatchObject({ status: 503, body: { schemas: [ERROR] } })
      expect(await everything()).toEqual(rows)
    }
  )

  it('that is missing stops the host at its start', () => {
    for (const options of [{}, { provision: 1 }, { provision: Boolean, deprovision: 'x' }]) {
      expect(() => scim(options as never)).toThrow(TypeError)
    }
    const wait = { whenFull: 'wait' } as const
    expect(() => createScimKit({ provider: 'd1', joining: null } as never, wait)).toThrow(/joining/)
    expect(() => createScimKit({ provider: 'd1' }, { role: 'owner' })).toThrow(/role/)
  })

  it('is not called for a token that is not valid, and D1 that is down is 503', async () => {
    let calls = 0
    let isDown = false
    const counting = createScimKit(
      {
        provider: 'd1',
        around: (_trip, run) => (isDown ? Promise.reject(new Error('D1_ERROR: down')) : run()),
      },
      { provision: async () => ((calls += 1), null) }
    )
    const organization = await pushedOrganization(counting)
    const token = { authorization: `Bearer scim_${organization.id}_${'0'.repeat(64)}` }
    const person = organization.person('ann')
    expect((await organization.send('POST', '/Users', person, token)).status).toBe(401)
    expect(calls).toBe(0)
    isDown = true
    for (const [method, path] of [
      ['GET', '/Users'],
      ['POST', '/Users'],
      ['GET', '/Users/x'],
      ['DELETE', '/Users/x'],
    ] as const) {
      const response = await organization.send(method, path, method === 'POST' ? person : undefined)
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toBe('5')
      expect(response.headers.get('content-type')).toBe('application/scim+json')
    }
  })
})

describe('another organization', () => {
  it('does not see a user, and cannot change one [SCIM-11]', async () => {
    const [mine, theirs] = [await pushedOrganization(kit), await pushedOrganization(kit)]
    const { id } = await theirs.push('ann', { externalId: 'e1' })
    await mine.ask('GET', '/Users')
    const rows = await everything()
    const answers = [
      await mine.ask('GET', `/Users/${id}`),
      await mine.ask('PUT', `/Users/${id}`, mine.person('x')),
      await mine.ask('PATCH', `/Users/${id}`, active(false)),
      await mine.ask('DELETE', `/Users/${id}`),
    ]
    const absent = await mine.ask('GET', `/Users/${crypto.randomUUID()}`)
    expect(absent.status).toBe(404)
    for (const each of answers) expect(each).toEqual(absent)
    // As long as a filter may be: D1 allows 100 parameters.
    const long = Array.from({ length: 20 }, (_, n) => `emails eq "ann${n}@a.example"`).join(' or ')
    for (const filter of [`id eq "${id}"`, 'externalId eq "e1"', 'active eq true', long]) {
      const { body } = await mine.ask('GET', `/Users?filter=${encodeURIComponent(filter)}`)
      expect(body.totalResults).toBe(0)
    }
    expect(await everything()).toEqual(rows)
    // The same ids may be used there.
    expect((await mine.push('ann', { externalId: 'e1' })).active).toBe(true)
  })
})
