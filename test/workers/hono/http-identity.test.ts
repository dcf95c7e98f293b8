import { beforeAll, describe, expect, it } from 'vitest'
import { host, person, problem, rowCounts, signUp, type Person, testEnv } from '../../kit/index.ts'

const PASSWORD = 'correct horse'
const newEmail = () => `${crypto.randomUUID()}@example.com`

// Hashing is slow on purpose: what only needs an account shares this one.
let account: Person
beforeAll(async () => {
  account = await signUp(newEmail(), PASSWORD)
})

describe('signing up', () => {
  it('answers 201 with the user and a token that is a session', async () => {
    const email = newEmail()
    const response = await host.post('/identity/sign-up', {
      email: ` ${email.toUpperCase()} `,
      password: PASSWORD,
      name: ' Ada ',
    })
    expect(response.status).toBe(201)
    const body = await response.json<{ user: { id: string }; token: string }>()
    expect(body).toEqual({
      user: { id: expect.any(String), email, name: 'Ada' },
      token: expect.stringMatching(/^[\w-]{43}$/),
    })
    expect((await host.get('/organizations', body.token)).status).toBe(200)
  })

  it('sets the session as a cookie that scripts cannot read, and takes it in place of a bearer', async () => {
    const response = await host.post('/identity/sign-up', { email: newEmail(), password: PASSWORD })
    const cookie = response.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/^seatgate_session=[\w-]{43};/)
    expect(cookie).toMatch(/; HttpOnly(;|$)/)
    expect(cookie).toMatch(/; SameSite=Lax(;|$)/)
    const [pair = ''] = cookie.split(';')
    expect((await host.get('/organizations', null, { cookie: pair })).status).toBe(200)
  })

  it('marks the cookie as secure behind https', async () => {
    const { exports } = await import('cloudflare:workers')
    const worker = (exports as unknown as { default: Fetcher }).default
    const response = await worker.fetch('https://seatgate.test/identity/sign-up', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: newEmail(), password: PASSWORD }),
    })
    expect(response.headers.get('set-cookie')).toMatch(/; Secure(;|$)/)
  })

  it('refuses an address that is taken, in any case, and writes no row', async () => {
    const { email } = account
    const before = await rowCounts()
    const again = await host.post('/identity/sign-up', {
      email: email.toUpperCase(),
      password: 'another password',
    })
    expect(await problem(again)).toEqual({
      status: 422,
      code: 'validation_error',
      fields: ['email'],
    })
    expect(await rowCounts()).toEqual(before)
  })

  it('creates one user for two sign-ups at once, and no session without a user', async () => {
    const email = newEmail()
    const answers = await Promise.all(
      [1, 2].map(() => host.post('/identity/sign-up', { email, password: PASSWORD }))
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 422]))
    expect(await usersWith(email)).toBe(1)
    const orphans = await testEnv.DB.prepare(
      'SELECT count(*) AS n FROM seatgate_sessions WHERE user_id NOT IN (SELECT id FROM users)'
    ).first('n')
    expect(orphans).toBe(0)
  })
})

describe('signing up with an Idempotency-Key', () => {
  it('answers the same user again, with a session of its own', async () => {
    const input = { email: newEmail(), password: PASSWORD, name: 'Ada' }
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const first = await host.post('/identity/sign-up', input, null, headers)
    const second = await host.post('/identity/sign-up', input, null, headers)
    expect([first.status, second.status]).toEqual([201, 201])
    const one = await first.json<{ user: object; token: string }>()
    const two = await second.json<{ user: object; token: string }>()
    expect(two.user).toEqual(one.user)
    expect((await host.get('/organizations', two.token)).status).toBe(200)
    expect(await usersWith(input.email)).toBe(1)
  })

  it('answers two at once with the same user', async () => {
    const input = { email: newEmail(), password: PASSWORD }
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const answers = await Promise.all(
      [1, 2].map(() => host.post('/identity/sign-up', input, null, headers))
    )
    expect(answers.map(({ status }) => status)).toEqual([201, 201])
    expect(await usersWith(input.email)).toBe(1)
  })

  it.each([
    ['another password', { password: 'battery staple' }],
    ['another name', { name: 'Grace' }],
  ])('is idempotency_mismatch with %s', async (_what, other) => {
    const input = { email: newEmail(), password: PASSWORD, name: 'Ada' }
    const headers = { 'idempotency-key': crypto.randomUUID() }
    await host.post('/identity/sign-up', input, null, headers)
    const answer = await host.post('/identity/sign-up', { ...input, ...other }, null, headers)
    expect(await problem(answer)).toMatchObject({ status: 422, code: 'idempotency_mismatch' })
  })

  it('does not open an account to another key, even with the right password', async () => {
    const input = { email: newEmail(), password: PASSWORD }
    await host.post('/identity/sign-up', input, null, { 'idempotency-key': 'one' })
    const other = await host.post('/identity/sign-up', input, null, { 'idempotency-key': 'two' })
    expect(await problem(other)).toMatchObject({ code: 'validation_error', fields: ['email'] })
  })
})

describe('signing in and out', () => {
  it('answers 200 with the user and another token', async () => {
    const { userId, email, token } = account
    const response = await host.post('/identity/sign-in', {
      email: email.toUpperCase(),
      password: PASSWORD,
    })
    expect(response.status).toBe(200)
    const body = await response.json<{ token: string }>()
    expect(body).toMatchObject({ user: { id: userId, email, name: null } })
    expect(body.token).not.toBe(token)
    expect((await host.get('/organizations', body.token)).status).toBe(200)
  })

  it('answers a wrong password and an unknown address in the same way, and makes no session', async () => {
    const { email } = account
    const before = await rowCounts()
    const wrong = await host.post('/identity/sign-in', { email, password: 'incorrect horse' })
    const unknown = await host.post('/identity/sign-in', { email: newEmail(), password: PASSWORD })
    expect([wrong.status, unknown.status]).toEqual([401, 401])
    expect(wrong.headers.get('set-cookie')).toBeNull()
    expect(await wrong.text()).toBe(await unknown.text())
    expect(await rowCounts()).toEqual(before)
  })

  it('ends the session that signs out, and no other', async () => {
    const { email, token: kept } = account
    const other = await host.post('/identity/sign-in', { email, password: PASSWORD })
    const { token } = await other.json<{ token: string }>()
    const out = await host.post('/identity/sign-out', undefined, token)
    expect(out.status).toBe(204)
    expect(out.headers.get('set-cookie')).toMatch(/^seatgate_session=;.*Max-Age=0/)
    expect((await host.get('/organizations', token)).status).toBe(401)
    expect((await host.get('/organizations', kept)).status).toBe(200)
  })

  it('answers 401 to signing out without a token', async () => {
    expect(await problem(await host.post('/identity/sign-out', undefined))).toMatchObject({
      status: 401,
      code: 'unauthenticated',
    })
  })
})

describe('bad input', () => {
  const valid = { email: 'ada@example.com', password: PASSWORD }
  const cases: readonly [unknown, number, string, string[]][] = [
    [{}, 422, 'validation_error', ['email', 'password']],
    [[], 422, 'validation_error', ['email', 'password']],
    ['null', 422, 'validation_error', ['body']],
    [{ ...valid, email: 'ada' }, 422, 'validation_error', ['email']],
    [{ ...valid, email: 7 }, 422, 'validation_error', ['email']],
    [{ ...valid, email: `${'a'.repeat(250)}@example.com` }, 422, 'validation_error', ['email']],
    [{ ...valid, password: 'seven77' }, 422, 'validation_error', ['password']],
    [{ ...valid, password: 'x'.repeat(257) }, 422, 'validation_error', ['password']],
    [{ ...valid, name: 'x'.repeat(256) }, 422, 'validation_error', ['name']],
    [{ ...valid, name: 7 }, 422, 'validation_error', ['name']],
    ['{', 400, 'invalid_json', []],
    [undefined, 400, 'invalid_json', []],
    [{ ...valid, name: 'x'.repeat(70_000) }, 413, 'payload_too_large', []],
  ]

  it.each(cases)('sign-up refuses case %#', async (input, status, code, fields) => {
    const before = await rowCounts()
    const answer = await host.post('/identity/sign-up', input)
    expect(await problem(answer)).toEqual({ status, code, fields })
    expect(await rowCounts()).toEqual(before)
  })

  it.each([
    [{}, 422],
    [{ email: 7, password: 7 }, 422],
    [{ email: 'ada@example.com', password: 'x'.repeat(257) }, 422],
    ['{', 400],
    [{ email: 'x'.repeat(70_000) }, 413],
  ])('sign-in refuses case %#', async (input, status) => {
    expect((await host.post('/identity/sign-in', input)).status).toBe(status)
  })
})

describe('stored identity', () => {
  it('keeps passwords as scrypt with the parameters beside the hash', async () => {
    const [one, two] = [account, await signUp(newEmail(), PASSWORD)]
    const rows = await testEnv.DB.prepare('SELECT password_hash AS h FROM users WHERE id IN (?, ?)')
      .bind(one.userId, two.userId)
      .all<{ h: string }>()
    const hashes = rows.results.map(({ h }) => h)
    for (const hash of hashes) {
      expect(hash).toMatch(/^scrypt\$16384\$8\$1\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=$/)
    }
    expect(new Set(hashes).size).toBe(2)
  })

  it('stores only the SHA-256 of tokens: no token, key or password is in the database', async () => {
    const password = 'a password like no other'
    const key = `key-${crypto.randomUUID()}`
    const input = { email: newEmail(), password }
    const up = await host.post('/identity/sign-up', input, null, { 'idempotency-key': key })
    const { token, user } = await up.json<{ token: string; user: { id: string } }>()
    await host.post('/organizations', { name: 'Vault' }, token)

    const stored = await everythingStored()
    expect(stored).toContain(user.id)
    expect(stored).toContain(await sha256(token))
    for (const secret of [token, password, key]) expect(stored).not.toContain(secret)
  })

  it('accepts a hash that was made with other parameters', async () => {
    const { email, userId } = await person()
    // scrypt of "password" with the salt "NaCl", N = 1024, r = 8, p = 16: a vector of RFC 7914.
    const vector = 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162'
    const hash = btoa(String.fromCharCode(...vector.match(/../g)!.map((hex) => parseInt(hex, 16))))
    await testEnv.DB.prepare('UPDATE users SET password_hash = ? WHERE id = ?')
      .bind(`scrypt$1024$8$16$${btoa('NaCl')}$${hash}`, userId)
      .run()
    const right = await host.post('/identity/sign-in', { email, password: 'password' })
    const wrong = await host.post('/identity/sign-in', { email, password: 'passwore' })
    expect([right.status, wrong.status]).toEqual([200, 401])
  })
})

async function usersWith(email: string): Promise<unknown> {
  return testEnv.DB.prepare('SELECT count(*) AS n FROM users WHERE email = ?')
    .bind(email)
    .first('n')
}

async function everythingStored(): Promise<string> {
  const tables = await testEnv.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'"
  ).all<{ name: string }>()
  const rows = await Promise.all(
    tables.results.map(({ name }) => testEnv.DB.prepare(`SELECT * FROM "${name}"`).all())
  )
  return JSON.stringify(rows.map(({ results }) => results))
}

async function sha256(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
