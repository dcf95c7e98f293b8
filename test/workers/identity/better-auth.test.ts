import { beforeAll, describe, expect, it } from 'vitest'
import { seatgateRouter } from '../../../src/hono/index.ts'
import { betterAuth } from '../../../src/identity/index.ts'
import { testEnv } from '../../kit/index.ts'
import {
  as,
  asked,
  auth,
  cookieOf,
  createTables,
  database,
  foundedBy,
  meter,
  offlineAuth,
  PASSWORD,
  seatgate,
  signUp,
  source,
  URL_OF_APP,
} from '../../kit/identity/better-auth-app.ts'

beforeAll(createTables)

describe('betterAuth', () => {
  it('reads a session in the round trip of the operation', async () => {
    const ann = await signUp('ann')
    const acme = await foundedBy(ann)
    await as(ann, 'GET', `/organizations/${acme.id}`)
    meter.trips = 0
    expect(await as(ann, 'GET', `/organizations/${acme.id}`)).toMatchObject({
      status: 200,
      body: { id: acme.id },
    })
    expect(meter.trips).toBe(1)
    expect(await as(ann, 'GET', `/organizations/${acme.id}/members`)).toMatchObject({
      body: { data: [{ user: { name: 'ann', email: ann.email }, role: 'owner' }] },
    })
  })

  it('has no caller without a session, with a forged cookie, and after a sign-out', async () => {
    const ann = await signUp('ann')
    const [name = '', value = ''] = ann.cookie.split('=')
    const signed = decodeURIComponent(value)
    const dot = signed.indexOf('.')
    for (const cookie of [
      '',
      `${name}=${signed.slice(0, dot)}`,
      `${name}=${encodeURIComponent(`${signed.slice(0, dot)}.${'A'.repeat(43)}=`)}`,
      `${name}=${encodeURIComponent(`another-token${signed.slice(dot)}`)}`,
      `other=${value}`,
    ]) {
      expect((await asked({ cookie }, 'GET', '/organizations')).status).toBe(401)
    }
    expect((await as(ann, 'GET', '/organizations')).status).toBe(200)
    expect((await as(ann, 'POST', '/api/auth/sign-out', {})).status).toBe(200)
    expect((await as(ann, 'GET', '/organizations')).status).toBe(401)
  })

  it('refuses a session that is expired', async () => {
    const ann = await signUp('ann')
    const setEnd = (end: Date) =>
      testEnv.DB.prepare('update session set expiresAt = ? where userId = ?')
        .bind(end.toISOString(), ann.id)
        .run()
    await setEnd(new Date(Date.now() - 1))
    expect((await as(ann, 'GET', '/organizations')).status).toBe(401)
    await setEnd(new Date(Date.now() + 60_000))
    expect((await as(ann, 'GET', '/organizations')).status).toBe(200)
  })

  it('takes a bearer token of the plugin of better-auth', async () => {
    const ann = await signUp('ann')
    const authorization = `Bearer ${ann.token}`
    expect((await asked({ authorization }, 'GET', '/organizations')).status).toBe(200)
    expect((await asked({ authorization: 'Bearer x' }, 'GET', '/organizations')).status).toBe(401)
  })

  it('stores the active organization in the session of better-auth', async () => {
    const ann = await signUp('ann')
    const [acme, globex] = [await foundedBy(ann), await foundedBy(ann)]
    const active = async () => {
      const { results } = await testEnv.DB.prepare(
        'select activeOrganizationId as id from session where userId = ?'
      )
        .bind(ann.id)
        .all<{ id: string | null }>()
      return results.map(({ id }) => id)
    }
    const switchTo = (organization: string | null) =>
      as(ann, 'PUT', '/active-organization', { organizationId: organization })
    expect((await switchTo(acme.id)).status).toBe(200)
    expect(await active()).toEqual([acme.id])
    expect((await switchTo(globex.id)).status).toBe(200)
    expect(await active()).toEqual([globex.id])
    const session = await auth.api.getSession({ headers: new Headers({ cookie: ann.cookie }) })
    expect(session?.session.activeOrganizationId).toBe(globex.id)
    const deleted = { confirmName: globex.name, password: PASSWORD }
    expect((await as(ann, 'DELETE', `/organizations/${globex.id}`, deleted)).status).toBeLessThan(
      300
    )
    expect(await active()).toEqual([null])
    const ben = await signUp('ben')
    expect((await as(ben, 'PUT', '/active-organization', { organizationId: acme.id })).status).toBe(
      404
    )
  })

  it('verifies the password of an account, and no other', async () => {
    const ann = await signUp('ann')
    const acme = await foundedBy(ann)
    const change = (password: string) =>
      as(ann, 'POST', `/organizations/${acme.slug}/slug`, {
        slug: `${acme.slug}-2`,
        confirmSlug: acme.slug,
        password,
      })
    expect(await change('wrong')).toMatchObject({ status: 403, body: { code: 'invalid_password' } })
    expect(await change(PASSWORD)).toMatchObject({ status: 200 })
    expect(await source.verifyPassword('unknown', PASSWORD)).toBe(false)
  })

  it('refuses a user who is banned, until the ban ends', async () => {
    const ann = await signUp('ann')
    const ban = (banned: number, end: string | null) =>
      testEnv.DB.prepare('update user set banned = ?, banExpires = ? where id = ?')
        .bind(banned, end, ann.id)
        .run()
    const authorization = `Bearer ${ann.token}`
    const status = async () => [
      (await as(ann, 'GET', '/organizations')).status,
      (await asked({ authorization }, 'GET', '/organizations')).status,
    ]
    expect(await status()).toEqual([200, 200])
    await ban(1, null)
    expect(await status()).toEqual([401, 401])
    await ban(1, new Date(Date.now() + 60_000).toISOString())
    expect(await status()).toEqual([401, 401])
    await ban(1, new Date(Date.now() - 1).toISOString())
    expect(await status()).toEqual([200, 200])
    await ban(0, null)
    expect(await status()).toEqual([200, 200])
  })

  it('refuses a user whom an administrator bans through better-auth', async () => {
    const [root, ann] = [await signUp('root'), await signUp('ann')]
    await testEnv.DB.prepare(`update user set role = 'admin' where id = ?`).bind(root.id).run()
    expect((await as(ann, 'GET', '/organizations')).status).toBe(200)
    const banned = await as(root, 'POST', '/api/auth/admin/ban-user', { userId: ann.id })
    expect(banned.status).toBe(200)
    expect((await as(ann, 'GET', '/organizations')).status).toBe(401)
  })

  it('makes an administrator an operator, and not while they act as a user', async () => {
    const [root, ann] = [await signUp('root'), await signUp('ann')]
    const acme = await foundedBy(ann)
    const ofOperator = async (cookie: string) =>
      (await asked({ cookie }, 'GET', '/operator/organizations')).status
    expect(await ofOperator(ann.cookie)).not.toBe(200)
    await testEnv.DB.prepare(`update user set role = 'admin' where id = ?`).bind(root.id).run()
    expect(await ofOperator(root.cookie)).toBe(200)
    const acting = await as(root, 'POST', '/api/auth/admin/impersonate-user', { userId: ann.id })
    expect(acting.status).toBe(200)
    const cookie = cookieOf(acting.headers)
    const change = await asked({ cookie }, 'PATCH', `/organizations/${acme.id}`, {
      name: 'Acme two',
    })
    expect(change.status).toBe(200)
    const { results } = await testEnv.DB.prepare(
      `select actor_type, actor_id, effective_user_id from seatgate_audit_events
        where organization_id = ? and action = 'organization.rename'`
    )
      .bind(acme.id)
      .all()
    expect(results).toEqual([
      { actor_type: 'operator', actor_id: root.id, effective_user_id: ann.id },
    ])
    expect(await ofOperator(cookie)).not.toBe(200)
  })
})

describe('a user of betterAuth who is deleted', () => {
  const rowsOf = async (userId: string) => {
    const count = (table: string, column: string) =>
      testEnv.DB.prepare(`select count(*) as rows from ${table} where ${column} = ?`)
        .bind(userId)
        .first<number>('rows')
    return Promise.all([
      count('user', 'id'),
      count('session', 'userId'),
      count('account', 'userId'),
      count('seatgate_memberships', 'user_id'),
    ])
  }

  it('leaves no row, by the route of the library', async () => {
    const [ann, ben] = [await signUp('ann'), await signUp('ben')]
    const acme = await foundedBy(ann)
    await as(ann, 'POST', `/organizations/${acme.id}/members`, { userId: ben.id, role: 'member' })
    expect(await rowsOf(ben.id)).toEqual([1, 1, 1, 1])
    expect((await as(ben, 'DELETE', '/users/me', { password: 'wrong' })).status).toBe(403)
    expect((await as(ben, 'DELETE', '/users/me', { password: PASSWORD })).status).toBe(204)
    expect(await rowsOf(ben.id)).toEqual([0, 0, 0, 0])
    expect((await as(ben, 'GET', '/organizations')).status).toBe(401)
  })

  it('leaves no row, by the route of better-auth, and stays as the only owner', async () => {
    const [ann, ben] = [await signUp('ann'), await signUp('ben')]
    const acme = await foundedBy(ann)
    await as(ann, 'POST', `/organizations/${acme.id}/members`, { userId: ben.id, role: 'member' })
    expect((await as(ben, 'POST', '/api/auth/delete-user', { password: PASSWORD })).status).toBe(
      200
    )
    expect(await rowsOf(ben.id)).toEqual([0, 0, 0, 0])
    const refused = await as(ann, 'POST', '/api/auth/delete-user', { password: PASSWORD })
    expect(refused).toMatchObject({ status: 409, body: { code: 'last_owner' } })
    expect(await rowsOf(ann.id)).toEqual([1, 1, 1, 1])
  })
})

it('betterAuth is unavailable, and not unauthenticated, while its store does not answer', async () => {
  const ann = await signUp('ann')
  const { authenticate } = betterAuth(offlineAuth(), { database })
  const router = seatgateRouter(seatgate, { authenticate })
  const { status } = await router.request(`${URL_OF_APP}/organizations`, {
    headers: { cookie: ann.cookie },
  })
  expect(status).toBe(503)
})

it('betterAuth needs a handle on D1, and takes no other option', () => {
  expect(() => betterAuth(auth, {} as never)).toThrow(TypeError)
  expect(() => betterAuth(auth, { database, tabels: {} } as never)).toThrow(
    'Did you mean "tables"?'
  )
})
