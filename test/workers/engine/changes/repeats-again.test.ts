import { describe, expect, it } from 'vitest'
import {
  addMember,
  createInvitation,
  renameOrganization,
  createOrganization,
  resendInvitation,
  type Principal,
  type PrincipalQuery,
} from '../../../../src/index.ts'
import { sql } from 'drizzle-orm'
import {
  embedded,
  host,
  postOrganization,
  person,
  problem,
  rowCounts,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  newUser,
  SECRET,
} from '../../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit
const email = () => `${crypto.randomUUID()}@example.com`

describe('the same request, written otherwise', () => {
  const slug = () => `org-${crypto.randomUUID().slice(0, 8)}`
  const writings: [string, (name: string, slug: string) => string][] = [
    ['members in another order', (name, at) => `{"slug":"${at}","name":"${name}"}`],
    ['more space', (name, at) => `\n{ "name" : "${name}",\t"slug" : "${at}" }\r\n`],
    ['escapes', (name, at) => `{"n\\u0061me":"\\u0041${name.slice(1)}","slug":"${at}"}`],
    ['a byte order mark', (name, at) => `\ufeff{"name":"${name}","slug":"${at}"}`],
    ['a member twice', (name, at) => `{"name":"Other","name":"${name}","slug":"${at}"}`],
  ]

  it.each(writings)('is answered as the first time: %s [B11]', async (_how, write) => {
    const { token } = await person()
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const at = slug()
    const first = await host.post(
      '/organizations',
      `{"name":"Acme","slug":"${at}"}`,
      token,
      headers
    )
    expect(first.status).toBe(201)
    const before = await rowCounts()
    const again = await host.post('/organizations', write('Acme', at), token, headers)
    expect([again.status, await again.text()]).toEqual([201, await first.text()])
    expect(await rowCounts()).toEqual(before)
  })

  it.each([
    ['another order of a list', { name: 'Acme', tags: ['b', 'a'] }],
    ['a list in place of its item', { name: 'Acme', tags: 'a' }],
    ['a number in place of a text', { name: 'Acme', tags: ['a', 2] }],
    ['null in place of nothing', { name: 'Acme', tags: ['a', 'b'], slug: null }],
  ])('is another request with %s [B11]', async (_what, other) => {
    const { token } = await person()
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const input = { tags: ['a', 'b'], name: 'Acme' }
    await host.post('/organizations', input, token, headers)
    const answer = await host.post('/organizations', other, token, headers)
    expect(await problem(answer)).toMatchObject({ status: 422, code: 'idempotency_mismatch' })
  })

  it('holds for calls of the library, regardless of the order and the absent members [B11]', async () => {
    const userId = await newUser()
    const operationId = crypto.randomUUID()
    const at = slug()
    const create = (input: object) =>
      createOrganization(seatgate, { caller: { userId } }, input as never, { operationId })
    const first = unwrap(await create({ name: 'Acme', slug: at }))
    expect(unwrap(await create({ slug: at, nothing: undefined, name: 'Acme' }))).toEqual(first)
    expect(codeOf(await create({ slug: at, name: 'Acme', nothing: null }))).toBe(
      'idempotency_mismatch'
    )
  })

  it('does not read prototypes: a member called __proto__ is one like others [B11]', async () => {
    const { token } = await person()
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const at = slug()
    const body = (proto: string) => `{"name":"Acme","slug":"${at}","__proto__":${proto}}`
    expect((await host.post('/organizations', body('1'), token, headers)).status).toBe(201)
    const other = await host.post('/organizations', body('2'), token, headers)
    expect(await problem(other)).toMatchObject({ code: 'idempotency_mismatch' })
  })

  it('is refused if it is nested too deeply, and no change is made [B11]', async () => {
    const { token } = await person()
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const before = await rowCounts()
    for (const levels of [150, 30_000]) {
      const nested = '['.repeat(levels) + ']'.repeat(levels)
      const answer = await host.post(
        '/organizations',
        `{"name":"Acme","x":${nested}}`,
        token,
        headers
      )
      expect(await problem(answer)).toEqual({
        status: 422,
        code: 'validation_error',
        fields: ['body'],
      })
    }
    expect(await rowCounts()).toEqual(before)
    const shallow = `{"name":"Acme","slug":"${slug()}","x":${'['.repeat(50)}${']'.repeat(50)}}`
    expect((await host.post('/organizations', shallow, token, headers)).status).toBe(201)
  })
})

describe('the id of an operation', () => {
  const scopeOf = (caller: Principal | PrincipalQuery, organization: string) => ({
    caller,
    organization,
  })

  /** A caller who is looked up, and who acts as the user if the row says so. */
  const lookedUp = (userId: string, impersonatedBy?: string): PrincipalQuery => ({
    userId: sql<string>`(select id from users where id = ${userId})`,
    statement: seatgate.db.select({ one: sql`1` }).from(sql`(select 1)`),
    principal: () => ({ userId, ...(impersonatedBy && { impersonatedBy }) }),
  })

  const kinds = {
    'that is known': (userId: string, by?: string): Principal => ({
      userId,
      ...(by && { impersonatedBy: by }),
    }),
    'that is looked up': lookedUp,
  }

  it.each(Object.entries(kinds))(
    'is the actor’s and the user’s together, of a caller %s [A9]',
    async (_kind, callerOf) => {
      const { id, owner } = await kit.organization()
      const operationId = crypto.randomUUID()
      const rename = async (name: string, by?: string) => {
        const scope = scopeOf(callerOf(owner, by), id)
        return unwrap(await renameOrganization(seatgate, scope, { name }, { operationId }))
      }
      const own = await rename('One')
      const support = await rename('Two', 'support-1')
      const other = await rename('Three', 'support-2')
      expect([own.name, support.name, other.name]).toEqual(['One', 'Two', 'Three'])
      // Each is answered their own again, whoever asked in between.
      expect(await rename('Three', 'support-2')).toEqual(other)
      expect(await rename('One')).toEqual(own)
      expect(await rename('Two', 'support-1')).toEqual(support)
    }
  )

  it.each(Object.entries(kinds))(
    'may be as long as can be, with an operator’s id that is long too, of a caller %s [A9]',
    async (_kind, callerOf) => {
      const { id, owner } = await kit.organization()
      const long = (last: string) => `${'k'.repeat(254)}${last}`
      const rename = async (name: string, operationId: string, by?: string) => {
        const scope = scopeOf(callerOf(owner, by), id)
        return unwrap(await renameOrganization(seatgate, scope, { name }, { operationId }))
      }
      const asked = [
        ['One', long('1')],
        ['Two', long('2')],
        ['Three', long('1'), long('a')],
        ['Four', long('1'), long('b')],
        ['Five', long('2'), long('a')],
      ] as const
      for (const [name, key, by] of asked) expect((await rename(name, key, by)).name).toBe(name)
      // Each is answered their own again.
      for (const [name, key, by] of asked) expect((await rename(name, key, by)).name).toBe(name)
    }
  )

  it('is a mistake of the host if D1 cannot keep it [B15]', async () => {
    const { id, owner } = await kit.organization()
    const scope = scopeOf({ userId: owner }, id)
    for (const operationId of ['', 'k'.repeat(256), '\0', 'k\0', 'k\ud800', 5 as never]) {
      const renamed = renameOrganization(seatgate, scope, { name: 'Other' }, { operationId })
      await expect(renamed).rejects.toThrow('operationId must be 1 to 255 characters long')
    }
    const operationId = '\u{1f600}'.repeat(255)
    unwrap(await renameOrganization(seatgate, scope, { name: 'Other' }, { operationId }))
  })

  it('is another actor’s too where a host’s ids look like it [A9]', async () => {
    const { id, owner } = await kit.organization()
    const rename = (caller: Principal, operationId: string) =>
      renameOrganization(seatgate, scopeOf(caller, id), { name: 'Other' }, { operationId })
    unwrap(await rename({ userId: owner, impersonatedBy: 'support-1' }, 'key'))
    expect(codeOf(await rename({ userId: owner }, 'key by support-1'))).toBe('idempotency_mismatch')
    const acting = { userId: owner, impersonatedBy: 'a' }
    unwrap(await rename(acting, 'one by b'))
    expect(codeOf(await rename({ ...acting, impersonatedBy: 'b by a' }, 'one'))).toBe(
      'idempotency_mismatch'
    )
  })

  it('reads no answers of other ids [A9]', async () => {
    const { id, owner } = await kit.organization()
    const add = async (operationId: string, userId: string) =>
      addMember(seatgate, scopeOf(lookedUp(owner), id), { userId, role: 'member' }, { operationId })
    const [one, two] = [await newUser(), await newUser()]
    expect(unwrap(await add('k', one)).membership.userId).toBe(one)
    expect(unwrap(await add('k1', two)).membership.userId).toBe(two)
    expect(unwrap(await add('k', one)).membership.userId).toBe(one)
    const plan = await testEnv.DB.prepare(
      `EXPLAIN QUERY PLAN SELECT id FROM seatgate_operations
       WHERE actor_id = 'a' || (SELECT 'b') AND id BETWEEN 'k' AND 'k by!'`
    ).all<{ detail: string }>()
    expect(JSON.stringify(plan.results)).toContain('actor_id=? AND id>? AND id<?')
  })
})

describe('a stored answer with a secret in it', () => {
  const rotated = createKit({ secret: `${SECRET}, and another one` })

  it('is refused after a change of the secret, permanently and not as an outage [A9]', async () => {
    const { id, owner } = await kit.organization()
    const operationId = crypto.randomUUID()
    const input = { email: email(), role: 'member' }
    const scope = { caller: { userId: owner }, organization: id }
    const first = unwrap(await createInvitation(seatgate, scope, input, { operationId }))
    const again = await createInvitation(rotated.seatgate, scope, input, { operationId })
    expect(again).toEqual({ ok: false, error: { code: 'stored_result_unreadable' } })
    // The answer stays as it is: with the secret of then it can be read again.
    expect(unwrap(await createInvitation(seatgate, scope, input, { operationId }))).toEqual(first)
    // A new id is a new operation, under the new secret.
    const resent = unwrap(
      await resendInvitation(rotated.seatgate, scope, first.id, { operationId: 'after' })
    )
    expect(resent.token).not.toBe(first.token)
    const repeated = await resendInvitation(seatgate, scope, first.id, { operationId: 'after' })
    expect(codeOf(repeated)).toBe('stored_result_unreadable')
  })

  it('is a problem of its own over HTTP [A9]', async () => {
    const owner = await person()
    const { id } = await postOrganization(owner)
    const headers = { 'idempotency-key': 'rotated' }
    const input = { email: email(), role: 'member' }
    const path = `/organizations/${id}/invitations`
    const as = `user:${owner.userId}`
    expect((await embedded().post(path, input, as, headers)).status).toBe(201)
    const other = embedded({ secret: `${SECRET}, and another one` })
    const answer = await other.post(path, input, as, headers)
    expect(await problem(answer)).toMatchObject({ status: 410, code: 'stored_result_unreadable' })
  })
})
