import { beforeEach, describe, expect, it } from 'vitest'
import { auth0, clerk, cloudflareAccess, supabase, workos } from '../../../src/identity/index.ts'
import { callerOf, createIssuer } from '../../kit/identity/issuer.ts'

type Issuer = Awaited<ReturnType<typeof createIssuer>>
let issuer: Issuer

const shared = () => ({ fetch: issuer.fetch, now: issuer.now })
const bearer = async (claims: object) => ({ authorization: `Bearer ${await issuer.token(claims)}` })

describe('clerk', () => {
  const APP = 'https://app.example.com'
  const OWN = { iss: 'https://clerk.example.com', aud: undefined, azp: APP }
  beforeEach(async () => {
    issuer = await createIssuer('RS256', 'https://clerk.example.com/.well-known/jwks.json')
  })
  const source = () =>
    clerk({ issuer: 'https://clerk.example.com', authorizedParties: [APP], ...shared() })

  it('takes a session token from the header or the cookie', async () => {
    const { authenticate } = source()
    expect(await callerOf(authenticate, await bearer(OWN))).toEqual({ userId: 'ann' })
    const cookie = `__session=${await issuer.token(OWN)}`
    expect(await callerOf(authenticate, { cookie })).toEqual({ userId: 'ann' })
  })

  it('refuses another party, and a session with a pending task', async () => {
    const { authenticate } = source()
    for (const claims of [
      { ...OWN, azp: 'https://evil.example' },
      { ...OWN, azp: undefined },
      { ...OWN, sts: 'pending' },
    ]) {
      expect(await callerOf(authenticate, await bearer(claims))).toBeNull()
    }
  })

  it('names the operator who acts as the user, and takes no proof of identity from them', async () => {
    const claims = { ...OWN, act: { sub: 'op' }, fva: [0, -1] }
    const caller = { userId: 'ann', impersonatedBy: 'op' }
    expect(await callerOf(source().authenticate, await bearer(claims))).toEqual(caller)
    expect(await source().stepUp('ann', await issuer.token(claims))).toBe(false)
  })

  it('accepts as a proof a first factor of the last minutes', async () => {
    const proof = (fva: unknown) => issuer.token({ ...OWN, fva })
    expect(await source().stepUp('ann', await proof([5, -1]))).toBe(true)
    for (const fva of [[6, 0], [-1, 0], [], 'now', undefined]) {
      expect(await source().stepUp('ann', await proof(fva))).toBe(false)
    }
  })
})

describe('auth0', () => {
  const AUDIENCE = 'https://api.example.com'
  const OWN = {
    iss: 'https://acme.eu.auth0.com/',
    aud: [AUDIENCE, 'https://acme.eu.auth0.com/userinfo'],
  }
  beforeEach(async () => {
    issuer = await createIssuer('RS256', 'https://acme.eu.auth0.com/.well-known/jwks.json')
  })

  it('takes the access token of a user for this API, and no token of a machine', async () => {
    const { authenticate } = auth0({ domain: 'acme.eu.auth0.com', audience: AUDIENCE, ...shared() })
    const user = { ...OWN, sub: 'auth0|123' }
    expect(await callerOf(authenticate, await bearer(user))).toEqual({ userId: 'auth0|123' })
    for (const claims of [
      { ...user, aud: 'https://other.example.com' },
      { ...user, iss: 'https://acme.eu.auth0.com' },
      { ...user, gty: 'client-credentials' },
      { ...OWN, sub: 'abc@clients' },
    ]) {
      expect(await callerOf(authenticate, await bearer(claims))).toBeNull()
    }
  })
})

describe('workos', () => {
  beforeEach(async () => {
    issuer = await createIssuer('RS256', 'https://api.workos.com/sso/jwks/client_1')
  })

  it('takes an access token of the client, and names an operator who acts as the user', async () => {
    const { authenticate, stepUp } = workos({ clientId: 'client_1', ...shared() })
    for (const iss of [
      'https://api.workos.com',
      'https://api.workos.com/user_management/client_1',
    ]) {
      expect(await callerOf(authenticate, await bearer({ iss, aud: undefined }))).toEqual({
        userId: 'ann',
      })
    }
    const iss = 'https://api.workos.com'
    expect(
      await callerOf(
        authenticate,
        await bearer({ iss, aud: undefined, act: { sub: 'op@acme.com' } })
      )
    ).toEqual({ userId: 'ann', impersonatedBy: 'op@acme.com' })
    const other = { iss: 'https://api.workos.com/user_management/client_2', aud: undefined }
    expect(await callerOf(authenticate, await bearer(other))).toBeNull()
    expect(await stepUp('ann', await issuer.token({ iss, aud: undefined }))).toBe(false)
  })
})

describe('supabase', () => {
  const OWN = { iss: 'https://abc.supabase.co/auth/v1', aud: 'authenticated' }
  beforeEach(async () => {
    issuer = await createIssuer('ES256', 'https://abc.supabase.co/auth/v1/.well-known/jwks.json')
  })
  const source = () => supabase({ url: 'https://abc.supabase.co', ...shared() })

  it('takes the token of a signed-in user, and no anonymous one', async () => {
    const { authenticate } = source()
    expect(await callerOf(authenticate, await bearer(OWN))).toEqual({ userId: 'ann' })
    for (const claims of [
      { ...OWN, aud: 'anon' },
      { ...OWN, is_anonymous: true },
    ]) {
      expect(await callerOf(authenticate, await bearer(claims))).toBeNull()
    }
  })

  it('accepts as a proof a sign-in of the last minutes, and no refresh', async () => {
    const proof = (method: string, ago: number) =>
      issuer.token({
        ...OWN,
        amr: [
          { method, timestamp: issuer.seconds() - ago },
          { method: 'otp', timestamp: 1 },
          'pwd',
        ],
      })
    expect(await source().stepUp('ann', await proof('password', 10))).toBe(true)
    expect(await source().stepUp('ann', await proof('password', 301))).toBe(false)
    expect(await source().stepUp('ann', await proof('token_refresh', 1))).toBe(false)
    expect(await source().stepUp('ann', await issuer.token(OWN))).toBe(false)
  })
})

describe('cloudflareAccess', () => {
  const OWN = { iss: 'https://acme.cloudflareaccess.com', aud: ['tag'] }
  beforeEach(async () => {
    issuer = await createIssuer('RS256', 'https://acme.cloudflareaccess.com/cdn-cgi/access/certs')
  })

  it('takes the assertion of Access for this application, and no service token', async () => {
    const { authenticate } = cloudflareAccess({ team: 'acme', audience: 'tag', ...shared() })
    const ask = async (claims: object) =>
      callerOf(authenticate, { 'cf-access-jwt-assertion': await issuer.token(claims) })
    expect(await ask({ ...OWN, sub: 'id-of-ann' })).toEqual({ userId: 'id-of-ann' })
    expect(await ask({ ...OWN, aud: ['another'] })).toBeNull()
    expect(await ask({ ...OWN, sub: '', common_name: 'deploy.access' })).toBeNull()
    expect(await callerOf(authenticate, await bearer(OWN))).toBeNull()
  })
})
