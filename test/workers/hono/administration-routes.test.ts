import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { loadActiveOrganization, requireOperator, seatgateRouter } from '../../../src/hono/index.ts'
import { createInvitations, importMembers, type Principal } from '../../../src/index.ts'
import { csvRows } from '../../../src/operations/invitations/import-members.ts'
import {
  anOperator,
  asUser,
  byName,
  clientOf,
  embedded,
  host,
  postMember,
  postOrganization,
  people,
  person,
  problem,
  rowCounts,
  seatgateWith,
  type Person,
  inClear,
  testEnv,
  unwrap,
  codeOf,
} from '../../kit/index.ts'

const client = embedded()
const address = () => `${crypto.randomUUID()}@example.com`
const CSV = { 'content-type': 'text/csv' }

interface Row {
  readonly line?: number
  readonly email?: string
  readonly status: number
  readonly invitation?: { readonly id: string; readonly email: string; readonly token: string }
  readonly problem?: { readonly code: string; readonly errors?: object }
}

async function team(limit?: number) {
  const owner = await person()
  const organization = await postOrganization(owner)
  const path = `/organizations/${organization.id}`
  if (limit !== undefined) await client.put(`${path}/seats/limit`, { limit }, anOperator)
  return { owner, organization, path, token: asUser(owner) }
}

async function rowsOf(response: Response | Promise<Response>): Promise<readonly Row[]> {
  const answer = await response
  expect(answer.status).toBe(200)
  return (await answer.json<{ data: readonly Row[] }>()).data
}

const told = (rows: readonly Row[]) =>
  rows.map(({ status, problem }) => (problem ? `${status} ${problem.code}` : String(status)))

describe('POST …/invitations/bulk [C6]', () => {
  it('has an answer for each row, with only the returned token, and assigns the free seats [C6]', async () => {
    const { path, token, owner } = await team(3)
    const emails = [address(), address(), address()]
    const invitations = [
      { email: emails[0], role: 'member' },
      { email: 'none', role: 'member' },
      { email: emails[1], role: 'admin' },
      { email: emails[2], role: 'member' },
      { email: owner.email, role: 'member' },
    ]
    const rows = await rowsOf(client.post(`${path}/invitations/bulk`, { invitations }, token))
    expect(told(rows)).toEqual([
      '201',
      '422 validation_error',
      '201',
      '409 seat_limit_reached',
      '409 already_member',
    ])
    expect(rows[1]?.problem).toMatchObject({ errors: { email: [expect.any(String)] } })
    expect(rows[0]?.invitation).toMatchObject({ email: emails[0], token: expect.any(String) })
    expect(JSON.stringify(rows)).not.toContain('mailToken')
  })

  it('answers a repeated key as the first time, and stores no token in clear [C6]', async () => {
    const { organization, path, token } = await team()
    const invitations = [
      { email: address(), role: 'member' },
      { email: 'none', role: 'member' },
      { email: address(), role: 'member' },
    ]
    const ask = (body: object, key = 'b1') =>
      client.post(`${path}/invitations/bulk`, body, token, { 'idempotency-key': key })
    const first = await rowsOf(ask({ invitations }))
    const before = await rowCounts()
    expect(await rowsOf(ask({ invitations }))).toEqual(first)
    expect(await rowCounts()).toEqual(before)
    const other = await ask({ invitations: invitations.slice(1) })
    expect(await problem(other)).toMatchObject({ status: 422, code: 'idempotency_mismatch' })
    const tokens = first.flatMap(({ invitation }) => (invitation ? [invitation.token] : []))
    expect(tokens).toHaveLength(2)
    expect(await inClear(organization.id, tokens)).toEqual([])
    const broken = await ask({ invitations }, 'a b')
    expect(await problem(broken)).toMatchObject({ status: 422, fields: ['Idempotency-Key'] })
  })

  it('runs one of two at once, and answers both [C6]', async () => {
    const { path, token } = await team()
    const invitations = [{ email: address(), role: 'member' }]
    const ask = () =>
      client.post(`${path}/invitations/bulk`, { invitations }, token, { 'idempotency-key': 'b2' })
    const [one, two] = await Promise.all([rowsOf(ask()), rowsOf(ask())])
    expect(one).toEqual(two)
    const listed = await client.get(`${path}/invitations`, token)
    expect((await listed.json<{ data: unknown[] }>()).data).toHaveLength(1)
  })

  it.each([
    [{}],
    [{ invitations: [] }],
    [{ invitations: 'x' }],
    [{ invitations: Array.from({ length: 101 }, () => ({})) }],
  ])('is refused as a whole for %j [C6]', async (body) => {
    const { path, token } = await team()
    const answer = await client.post(`${path}/invitations/bulk`, body, token)
    expect(await problem(answer)).toMatchObject({ status: 422, fields: ['invitations'] })
  })
})

describe('POST …/members/import [C6]', () => {
  it('invites each row of a file, and names its line [C6]', async () => {
    const { path, token } = await team(3)
    const [ann, bob, cleo] = [address(), address(), address()]
    const file = [
      '\ufeffName,Role,EMAIL',
      `"Ann ""A"", first",member,${ann}`,
      '',
      `"two\nlines",member,none`,
      `,admin, ${bob} `,
      `Cleo,member,${cleo}`,
    ].join('\r\n')
    const rows = await rowsOf(client.post(`${path}/members/import`, file, token, CSV))
    expect(told(rows)).toEqual(['201', '422 validation_error', '201', '409 seat_limit_reached'])
    expect(rows.map(({ line }) => line)).toEqual([2, 4, 6, 7])
    expect(rows.map(({ email }) => email)).toEqual([ann, 'none', bob, cleo])
    expect(rows[2]?.invitation).toMatchObject({ email: bob, role: 'admin' })
    expect(JSON.stringify(rows)).not.toContain('mailToken')
  })

  it('takes semicolons, and a repeated key as the first time [C6]', async () => {
    const { path, token } = await team()
    const file = `email;role\n${address()};member\n`
    const headers = { ...CSV, 'content-type': 'text/csv; charset=UTF-8', 'idempotency-key': 'i1' }
    const ask = () => client.post(`${path}/members/import`, file, token, headers)
    const first = await rowsOf(ask())
    expect(told(first)).toEqual(['201'])
    expect(await rowsOf(ask())).toEqual(first)
  })

  it.each([
    ['', 'row'],
    ['email,role', 'a row'],
    ['email,role\n\n \n', 'a row'],
    ['mail,role\na@b.example,member', '"email"'],
    ['email\na@b.example', '"role"'],
    ['email,role,email\na,member,b', '"email"'],
    ['email,role\n"a,member', 'quote'],
    ['email,role\na"b,member\n"', 'quote'],
    [`email,role\n${'a@b.example,member\n'.repeat(101)}`, '100 rows'],
  ])('is refused as a whole for %j [C6]', async (file, message) => {
    const { path, token } = await team()
    const answer = await client.post(`${path}/members/import`, file, token, CSV)
    expect(answer.status).toBe(422)
    const { errors } = await answer.json<{ errors: { csv: string[] } }>()
    expect(errors.csv[0]).toContain(message === 'row' ? 'column' : message)
  })

  it('takes only CSV in UTF-8, of a bounded size [C6]', async () => {
    const { path, token } = await team()
    const ask = (type: string, body: BodyInit = 'email,role\n') =>
      client.fetch(`${path}/members/import`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, ...(type && { 'content-type': type }) },
        body,
      })
    const statuses = [
      await ask('application/json'),
      await ask('text/plain'),
      await ask('text/csv; charset=iso-8859-1'),
      await ask('text/csv', Uint8Array.of(0x65, 0xe9)),
      await ask('text/csv', 'x'.repeat(65 * 1024)),
    ].map(({ status }) => status)
    expect(statuses).toEqual([415, 415, 400, 400, 413])
  })

  it('as a function receives the same arguments [C6]', async () => {
    const { organization } = await team()
    const scope = { caller: { type: 'system' } as const, organization: organization.id }
    expect(codeOf(await importMembers(seatgateWith(), scope, 7 as never))).toBe('validation_error')
    const email = address()
    const imported = await importMembers(seatgateWith(), scope, `role,email\nmember,${email}`)
    expect(unwrap(imported)).toMatchObject([{ line: 2, email, outcome: { ok: true } }])
    const again = { invitations: [{ email: address(), role: 'member' }] }
    const twice = [1, 2].map(() =>
      createInvitations(seatgateWith(), scope, again, { operationId: 'f1' })
    )
    const [one, two] = await Promise.all(twice)
    expect(one).toEqual(two)
  })

  it.each([
    [
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a;b\n1;2,3',
      [
        ['a', 'b'],
        ['1', '2,3'],
      ],
    ],
    [
      'a,b\r1,',
      [
        ['a', 'b'],
        ['1', ''],
      ],
    ],
    [
      '"a","b"\r\n"1\r\n2","3"""\r\n',
      [
        ['a', 'b'],
        ['1\r\n2', '3"'],
      ],
    ],
    ['a', [['a']]],
    ['a,"b"c', null],
    ['a,b"', [['a', 'b"']]],
  ])('reads %j as CSV [C6]', (text, rows) => {
    expect(csvRows(text)?.map(({ cells }) => cells) ?? null).toEqual(rows)
  })
})

describe('routes that administer [C6]', () => {
  it('change the role of an invitation [C6]', async () => {
    const { path, token } = await team()
    const invited = await client.post(
      `${path}/invitations`,
      { email: address(), role: 'member' },
      token
    )
    const { id } = await invited.json<{ id: string }>()
    const changed = await client.patch(`${path}/invitations/${id}`, { role: 'admin' }, token)
    expect([changed.status, await changed.json()]).toMatchObject([200, { id, role: 'admin' }])
    const wrong = await client.patch(`${path}/invitations/${id}`, { role: 'king' }, token)
    expect(await problem(wrong)).toMatchObject({ status: 422, fields: ['role'] })
    const missing = await client.patch(`${path}/invitations/none`, { role: 'admin' }, token)
    expect(await problem(missing)).toMatchObject({ status: 404, code: 'not_found' })
  })

  it('count members [C6]', async () => {
    const [owner, member] = (await people(2)) as [Person, Person]
    const organization = await postOrganization(owner)
    await postMember(organization, owner, member)
    const path = `/organizations/${organization.id}/members`
    await client.post(`${path}/${member.userId}/suspend`, undefined, asUser(owner))
    const count = await client.get(`${path}/count`, asUser(owner))
    expect(await count.json()).toEqual({ active: 1, suspended: 1 })
  })

  it('demand a second factor if the host has a check for one, and end that demand on any host [C6]', async () => {
    const { path, token, owner } = await team()
    const enrolled = new Set<string>()
    const router = seatgateRouter(seatgateWith(), {
      authenticate: byName,
      mfaCheck: (userId) => enrolled.has(userId),
    })
    const knowing = clientOf((url, init) => router.request(url, init))
    const put = (through: typeof client, enabled: unknown) =>
      through.put(`${path}/mfa-policy`, { enabled }, token)
    for (const through of [client, knowing]) {
      expect(await problem(await put(through, true))).toMatchObject({
        status: 409,
        code: 'admin_must_enroll_first',
      })
    }
    enrolled.add(owner.userId)
    expect(await (await put(knowing, true)).json()).toMatchObject({ enforceMfaForMembers: true })
    expect(await (await put(client, false)).json()).toMatchObject({ enforceMfaForMembers: false })
    expect(await problem(await put(client, 'yes'))).toMatchObject({
      status: 422,
      fields: ['enabled'],
    })
  })
})

describe('GET /organizations/<old slug> [C6]', () => {
  it('redirects members, with the query, and no other caller [C6]', async () => {
    const [owner, stranger] = (await people(2)) as [Person, Person]
    const organization = await postOrganization(owner)
    const path = `/organizations/${organization.slug}`
    const slug = `new-${crypto.randomUUID().slice(0, 8)}`
    await testEnv.DB.prepare('UPDATE seatgate_organizations SET slug = ? WHERE id = ?')
      .bind(slug, organization.id)
      .run()
    await testEnv.DB.prepare(
      `INSERT INTO seatgate_organization_slug_aliases (old_slug, organization_id, expires_at, created_at)
       VALUES (?, ?, ?, 1)`
    )
      .bind(organization.slug, organization.id, Date.now() + 60_000)
      .run()
    const ask = (token: string | null, at = path) =>
      host.fetch(at, {
        redirect: 'manual',
        ...(token && { headers: { authorization: `Bearer ${token}` } }),
      })
    const moved = await ask(owner.token, `${path}?a=b`)
    expect([moved.status, moved.headers.get('location')]).toEqual([
      302,
      `/organizations/${slug}?a=b`,
    ])
    expect(moved.headers.get('cache-control')).toContain('no-store')
    const followed = await ask(owner.token, `/organizations/${slug}`)
    expect(await followed.json()).toMatchObject({ id: organization.id, slug })
    expect(await problem(await ask(stranger.token))).toMatchObject({
      status: 404,
      code: 'organization_not_found',
    })
    expect((await ask(null)).status).toBe(401)
  })
})

describe('requireOperator [C6]', () => {
  const ask = async (caller: Principal | null) => {
    const seatgate = seatgateWith()
    const app = new Hono()
      .use('/own/*', loadActiveOrganization(seatgate, { authenticate: () => caller }))
      .get('/own/revenue', requireOperator(seatgate), (c) => c.text('in'))
    const response = await app.request('/own/revenue')
    return response.ok ? await response.text() : (await problem(response)).code
  }

  it.each<[string, Principal | null, string]>([
    ['an operator', { userId: 'ops', operator: true }, 'in'],
    ['the host itself', { type: 'system' }, 'in'],
    ['no caller', null, 'unauthenticated'],
    ['a token’s bearer', { type: 'anonymous' }, 'unauthenticated'],
    ['a user', { userId: 'ada' }, 'insufficient_role'],
    [
      'an operator who acts as a user',
      { userId: 'ada', operator: true, impersonatedBy: 'ops' },
      'insufficient_role',
    ],
    [
      'a machine',
      { type: 'service_account', serviceAccountId: 'm', organizationId: 'o', role: 'owner' },
      'insufficient_role',
    ],
  ])('answers %s as %j is answered [C6]', async (_who, caller, answer) => {
    expect(await ask(caller)).toBe(answer)
  })

  it('is a mistake of the program without a loader, and with a handler that is not one [C6]', async () => {
    const seatgate = seatgateWith()
    const app = new Hono().get('/', requireOperator(seatgate), (c) => c.text('in'))
    app.onError((error, c) => c.text(`${error.name}: ${error.message}`, 500))
    expect(await (await app.request('/')).text()).toMatch(/^TypeError: requireOperator: put/)
    expect(() => requireOperator(seatgate, { onRefusal: 7 as never })).toThrow(TypeError)
  })
})
