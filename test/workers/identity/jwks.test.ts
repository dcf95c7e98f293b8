import { base64url, exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { jwks } from '../../../src/identity/index.ts'
import { AUDIENCE, callerOf, createIssuer, identityOf, ISSUER } from '../../kit/identity/issuer.ts'

type Issuer = Awaited<ReturnType<typeof createIssuer>>

const text = (value: unknown) => base64url.encode(JSON.stringify(value))

async function signatureOf(unsigned: string): Promise<string> {
  const { privateKey } = issuer.keys()
  const bytes = new TextEncoder().encode(unsigned)
  const signed = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', privateKey as CryptoKey, bytes)
  return base64url.encode(new Uint8Array(signed))
}

let issuer: Issuer
let verify: (token: string) => Promise<unknown>
beforeEach(async () => {
  issuer = await createIssuer()
  verify = identityOf(issuer).verify
})

describe('jwks', () => {
  it.each([
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'EdDSA',
  ] as const)('verifies a token that is signed with %s', async (algorithm) => {
    const own = await createIssuer(algorithm)
    const { authenticate } = identityOf(own, { algorithm })
    const authorization = `Bearer ${await own.token()}`
    expect(await callerOf(authenticate, { authorization })).toEqual({ userId: 'ann' })
    const [head, body, signature = ''] = (await own.token()).split('.')
    const other = signature[9] === 'A' ? 'B' : 'A'
    const forged = `${head}.${body}.${signature.slice(0, 9)}${other}${signature.slice(10)}`
    expect(await callerOf(authenticate, { authorization: `Bearer ${forged}` })).toBeNull()
  })

  it('has no caller for a request without a token, or with another scheme', async () => {
    const { authenticate } = identityOf(issuer)
    expect(await callerOf(authenticate, {})).toBeNull()
    expect(
      await callerOf(authenticate, { authorization: `Basic ${await issuer.token()}` })
    ).toBeNull()
    expect(issuer.fetched).toEqual([])
  })

  it('accepts one of several audiences, the second name of an issuer, and a clock that differs', async () => {
    const own = identityOf(issuer, { issuer: [ISSUER, 'https://second.example.com'] })
    for (const claims of [
      { aud: ['https://other.example.com', AUDIENCE] },
      { iss: 'https://second.example.com' },
      { exp: issuer.seconds() - 29 },
      { nbf: issuer.seconds() + 29, iat: issuer.seconds() + 29 },
    ]) {
      expect(await own.verify(await issuer.token(claims))).toMatchObject({ sub: 'ann' })
    }
  })
})

describe('an attack on jwks', () => {
  it.each([
    ['expired', () => ({ exp: issuer.seconds() - 31 })],
    ['without an end', () => ({ exp: undefined })],
    ['with an end that is a text', () => ({ exp: String(issuer.seconds() + 60) as never })],
    ['not valid yet', () => ({ nbf: issuer.seconds() + 31 })],
    ['issued in the future', () => ({ iat: issuer.seconds() + 31 })],
    ['of another audience', () => ({ aud: 'https://other.example.com' })],
    ['of an audience that begins in the same way', () => ({ aud: `${AUDIENCE}.evil.example` })],
    ['without an audience', () => ({ aud: undefined })],
    ['of another issuer', () => ({ iss: 'https://evil.example' })],
    ['of an issuer with another ending', () => ({ iss: `${ISSUER}/` })],
    ['without an issuer', () => ({ iss: undefined })],
    ['without a subject', () => ({ sub: undefined })],
    ['with an empty subject', () => ({ sub: '' })],
    ['with a subject of 256 characters', () => ({ sub: 'a'.repeat(256) })],
  ])('fails with a token that is %s', async (_what, claims) => {
    expect(await verify(await issuer.token(claims()))).toBeNull()
  })

  it('fails with no algorithm, in any spelling, with and without a signature', async () => {
    const [, , signature] = (await issuer.token()).split('.')
    for (const alg of ['none', 'None', 'NONE', '', undefined, null, ['RS256']]) {
      const unsigned = `${text({ alg, kid: 'first', typ: 'JWT' })}.${text(issuer.claims())}`
      expect(await verify(`${unsigned}.`)).toBeNull()
      expect(await verify(`${unsigned}.${signature}`)).toBeNull()
    }
  })

  it('fails with HS256 over the public key as its secret', async () => {
    const { publicKey } = issuer.keys()
    const { n = '' } = await exportJWK(publicKey)
    for (const secret of [await exportSPKI(publicKey), `${await exportSPKI(publicKey)}\n`, n]) {
      const forged = await new SignJWT(issuer.claims())
        .setProtectedHeader({ alg: 'HS256', kid: 'first' })
        .sign(new TextEncoder().encode(secret))
      expect(await verify(forged)).toBeNull()
    }
  })

  it('fails with a key set that has the secret of a symmetric key', async () => {
    const secret = new TextEncoder().encode('a secret of the issuer, 32 characters')
    issuer.serve([{ kty: 'oct', k: base64url.encode(secret), kid: 'first', alg: 'HS256' }])
    const forged = await new SignJWT(issuer.claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'first' })
      .sign(secret)
    expect(await verify(forged)).toBeNull()
  })

  it('fails with another algorithm of the same key', async () => {
    const forged = await issuer.token({}, {})
    const stricter = identityOf(issuer, { algorithm: 'RS512' })
    expect(await stricter.verify(forged)).toBeNull()
    expect(await identityOf(issuer, { algorithm: 'PS256' }).verify(forged)).toBeNull()
  })

  it('fails with a key in the header, or at an address in the header, which is not read', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
    const jwk = { ...(await exportJWK(publicKey)), kid: 'evil' }
    for (const header of [
      { jwk, kid: 'evil' },
      { jwk, kid: 'first' },
      { jku: 'https://evil.example/jwks.json', kid: 'evil' },
      { x5u: 'https://evil.example/cert.pem', kid: 'evil' },
      { x5c: ['MIIB'], kid: 'evil' },
      { kid: '../../evil' },
      { kid: 'https://evil.example/key' },
    ]) {
      expect(await verify(await issuer.token({}, header, privateKey))).toBeNull()
    }
    expect(new Set(issuer.fetched)).toEqual(new Set([`${ISSUER}/.well-known/jwks.json`]))
  })

  it('fails with a signature of the right key under the name of another algorithm', async () => {
    for (const alg of ['none', 'HS256', 'RS512', 'PS256', 'rs256', undefined]) {
      const unsigned = `${text({ alg, kid: 'first', typ: 'JWT' })}.${text(issuer.claims())}`
      expect(await verify(`${unsigned}.${await signatureOf(unsigned)}`), alg).toBeNull()
    }
  })

  it('fails with an unknown extension, and with a payload that is not encoded', async () => {
    const [, body, signature] = (await issuer.token()).split('.')
    for (const header of [
      { crit: ['exp2'], exp2: 1 },
      { crit: [] },
      { crit: ['b64'], b64: false },
      { b64: true },
    ]) {
      const head = text({ alg: 'RS256', kid: 'first', typ: 'JWT', ...header })
      expect(await verify(`${head}.${body}.${signature}`)).toBeNull()
      const unsigned = `${head}.${body}`
      expect(await verify(`${unsigned}.${await signatureOf(unsigned)}`)).toBeNull()
    }
  })

  it.each(['dpop+jwt', 'logout+jwt', 'secevent+jwt', 'application/logout+jwt', '', 7])(
    'fails with a token of the type %j',
    async (typ) => {
      expect(await verify(await issuer.token({}, { typ: typ as string }))).toBeNull()
    }
  )

  it('takes a type without regard to case and to application/, and a token without one', async () => {
    for (const typ of ['jwt', 'AT+JWT', 'application/at+jwt', undefined]) {
      const header = typ === undefined ? {} : { typ }
      const token = await new SignJWT(issuer.claims())
        .setProtectedHeader({ alg: 'RS256', kid: 'first', ...header })
        .sign(issuer.keys().privateKey)
      expect(await verify(token)).toMatchObject({ sub: 'ann' })
    }
  })

  it('fails with another encoding of a valid token', async () => {
    const token = await issuer.token()
    const [head = '', body = '', signature = ''] = token.split('.')
    expect(await verify(token)).not.toBeNull()
    const lastOf = (part: string) => {
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      const last = alphabet.indexOf(part.at(-1) ?? 'A')
      return part.slice(0, -1) + alphabet[last ^ 1]
    }
    for (const other of [
      `${token}=`,
      `${token}.`,
      `${token}.${body}`,
      `${head}.${body}`,
      `.${body}.${signature}`,
      `${head}..${signature}`,
      `${head}.${body}.${signature}=`,
      `${head}.${body}.${signature.replaceAll('-', '+').replaceAll('_', '/')}+`,
      `${head}.${body}.${lastOf(signature)}`,
      `${head}.${body} .${signature}`,
      `${head}.${body}.${signature}\n`,
      ` ${token}`,
      '',
      '..',
    ]) {
      expect(await verify(other), other.slice(-40)).toBeNull()
    }
  })

  it('fails with a header or claims that are not an object of UTF-8', async () => {
    const [head = '', body = '', signature = ''] = (await issuer.token()).split('.')
    const wrong = [
      text([]),
      text('a'),
      text(null),
      base64url.encode('{'),
      base64url.encode(new Uint8Array([0x7b, 0xff, 0x7d])),
    ]
    for (const part of wrong) {
      expect(await verify(`${part}.${body}.${signature}`)).toBeNull()
      expect(await verify(`${head}.${part}.${signature}`)).toBeNull()
    }
  })

  it('fails with a token of more than 16 KiB, without a call to the issuer', async () => {
    const large = await issuer.token({ scope: 'a'.repeat(16_384) })
    expect(await verify(large)).toBeNull()
    expect(issuer.fetched).toEqual([])
    expect(await verify(await issuer.token({ scope: 'a'.repeat(8_192) }))).not.toBeNull()
  })

  it.each([
    ['another use', { use: 'enc' }],
    ['another algorithm', { alg: 'RS512' }],
    ['other operations', { key_ops: ['encrypt'] }],
    ['another type', { kty: 'EC' }],
  ])('fails with a key of %s', async (_what, members) => {
    const { privateKey } = await issuer.addKey('second', members)
    expect(await verify(await issuer.token({}, { kid: 'second' }, privateKey))).toBeNull()
    expect(await verify(await issuer.token())).not.toBeNull()
  })

  it('fails with an RSA key of 1024 bits', async () => {
    const pair = (await crypto.subtle.generateKey(
      {
        name: 'RSASSA-PKCS1-v1_5',
        modulusLength: 1024,
        publicExponent: new Uint8Array([1, 0, 1]),
        hash: 'SHA-256',
      },
      true,
      ['sign', 'verify']
    )) as CryptoKeyPair
    const publicKey = await crypto.subtle.exportKey('jwk', pair.publicKey)
    issuer.serve([{ ...publicKey, kid: 'short', alg: 'RS256' }])
    const unsigned = `${text({ alg: 'RS256', kid: 'short' })}.${text(issuer.claims())}`
    const signature = await crypto.subtle.sign(
      'RSASSA-PKCS1-v1_5',
      pair.privateKey,
      new TextEncoder().encode(unsigned)
    )
    expect(await verify(`${unsigned}.${base64url.encode(new Uint8Array(signature))}`)).toBeNull()
  })

  it('fails for a party that may not ask, if the parties are configured', async () => {
    const own = identityOf(issuer, { authorizedParties: ['https://app.example.com'] })
    expect(await own.verify(await issuer.token({ azp: 'https://app.example.com' }))).not.toBeNull()
    expect(await own.verify(await issuer.token({ azp: 'https://evil.example' }))).toBeNull()
    expect(await own.verify(await issuer.token())).toBeNull()
  })
})

describe('the keys of an issuer', () => {
  it('are fetched one time for many tokens, and again when they are old', async () => {
    const { verify } = identityOf(issuer, { cacheSeconds: 600 })
    await Promise.all(
      Array.from({ length: 20 }, async () =>
        expect(await verify(await issuer.token())).not.toBeNull()
      )
    )
    expect(issuer.fetched).toHaveLength(1)
    issuer.pass(601)
    expect(await verify(await issuer.token())).not.toBeNull()
    expect(issuer.fetched).toHaveLength(2)
  })

  it('are fetched again for an unknown key, one time in a window', async () => {
    await verify(await issuer.token())
    issuer.pass(31)
    const { privateKey } = await issuer.addKey('second')
    expect(await verify(await issuer.token({}, { kid: 'second' }, privateKey))).not.toBeNull()
    expect(issuer.fetched).toHaveLength(2)
    for (let n = 0; n < 20; n++) {
      expect(await verify(await issuer.token({}, { kid: `unknown-${n}` }))).toBeNull()
    }
    expect(issuer.fetched).toHaveLength(2)
    issuer.pass(31)
    await verify(await issuer.token({}, { kid: 'unknown' }))
    expect(issuer.fetched).toHaveLength(3)
  })

  it('are no longer accepted when the issuer has removed them', async () => {
    const old = await issuer.token({ exp: issuer.seconds() + 9999 })
    expect(await verify(old)).not.toBeNull()
    issuer.serve([])
    await issuer.addKey('second')
    issuer.pass(601)
    expect(await verify(old)).toBeNull()
  })

  it('are used while the issuer does not answer, up to the limit, and then fail closed', async () => {
    const { authenticate } = identityOf(issuer, { cacheSeconds: 600, staleSeconds: 3600 })
    const ask = async () =>
      callerOf(authenticate, { authorization: `Bearer ${await issuer.token()}` })
    expect(await ask()).toEqual({ userId: 'ann' })
    issuer.answerWith(() => Promise.reject(new Error('offline')))
    issuer.pass(3600)
    expect(await ask()).toEqual({ userId: 'ann' })
    issuer.pass(1)
    expect(await ask()).toBe('IdentityUnavailable')
    // Within the window no request is sent.
    const before = issuer.fetched.length
    issuer.pass(31)
    expect(await ask()).toBe('IdentityUnavailable')
    expect(await ask()).toBe('IdentityUnavailable')
    expect(issuer.fetched.length).toBe(before + 1)
    issuer.answerAgain()
    issuer.pass(31)
    expect(await ask()).toEqual({ userId: 'ann' })
  })

  it.each([
    ['an error', () => new Response('{}', { status: 500 })],
    ['a redirect', () => Response.redirect('https://evil.example/jwks.json', 302)],
    ['no JSON', () => new Response('<html>')],
    ['no key set', () => Response.json({ keys: {} })],
    ['too many keys', () => Response.json({ keys: Array.from({ length: 65 }, () => ({})) })],
    ['more than 128 KiB', () => Response.json({ keys: [], padding: 'a'.repeat(131_072) })],
    [
      'an endless body',
      () =>
        new Response(
          new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(65_536).fill(32)) })
        ),
    ],
  ])('cannot be read from %s', async (_what, answer) => {
    issuer.answerWith(answer)
    const { authenticate } = identityOf(issuer)
    const authorization = `Bearer ${await issuer.token()}`
    expect(await callerOf(authenticate, { authorization })).toBe('IdentityUnavailable')
  })

  it('are waited for up to the deadline, and the next request fetches again', async () => {
    let aborted = false
    const { authenticate } = identityOf(issuer, {
      deadlineSeconds: 0.01,
      refetchSeconds: 0,
      fetch: (url, { signal }) =>
        aborted
          ? issuer.fetch(url)
          : new Promise((_resolve, reject) => {
              signal?.addEventListener('abort', () => {
                aborted = true
                reject(signal.reason as Error)
              })
            }),
    })
    const authorization = `Bearer ${await issuer.token()}`
    expect(await callerOf(authenticate, { authorization })).toBe('IdentityUnavailable')
    expect(await callerOf(authenticate, { authorization })).toEqual({ userId: 'ann' })
  })

  it('are fetched again if the request that fetched them was cancelled', async () => {
    let calls = 0
    const { authenticate } = identityOf(issuer, {
      deadlineSeconds: 0.01,
      // A fetch whose request was cancelled never settles.
      fetch: (url) => (calls++ === 0 ? new Promise<never>(() => {}) : issuer.fetch(url)),
    })
    const authorization = `Bearer ${await issuer.token()}`
    expect(await callerOf(authenticate, { authorization })).toBe('IdentityUnavailable')
    expect(await callerOf(authenticate, { authorization })).toEqual({ userId: 'ann' })
  })

  it('are one key for a token without an id, and no key if there are several', async () => {
    const token = async () =>
      new SignJWT(issuer.claims())
        .setProtectedHeader({ alg: 'RS256' })
        .sign(issuer.keys().privateKey)
    expect(await verify(await token())).not.toBeNull()
    await issuer.addKey('second')
    issuer.pass(601)
    expect(await verify(await token())).toBeNull()
  })
})

describe('stepUp of jwks', () => {
  it('accepts a token of the same user with a fresh proof', async () => {
    const { stepUp } = identityOf(issuer)
    const at = (seconds: number, claims = {}) =>
      issuer.token({ auth_time: issuer.seconds() - seconds, ...claims })
    expect(await stepUp('ann', await at(300))).toBe(true)
    expect(await stepUp('ann', await at(301))).toBe(false)
    expect(await stepUp('ann', await at(-31))).toBe(false)
    expect(await stepUp('ben', await at(1))).toBe(false)
    expect(await stepUp('ann', await issuer.token())).toBe(false)
    expect(await stepUp('ann', await at(1, { exp: issuer.seconds() - 60 }))).toBe(false)
    expect(await stepUp('ann', 'no token')).toBe(false)
  })
})

describe('the options of jwks', () => {
  it.each([
    ['an unknown name', { audiense: 'x' }],
    ['no issuer', { issuer: '' }],
    ['no audience', { audience: undefined }],
    ['an empty list of audiences', { audience: [] }],
    ['a symmetric algorithm', { algorithm: 'HS256' }],
    ['no algorithm', { algorithm: 'none' }],
    ['an address without TLS', { url: 'http://id.example.com/jwks' }],
    ['another scheme', { url: 'file:///jwks' }],
    ['a clock that differs by minutes', { clockSkewSeconds: 301 }],
    ['a negative time', { cacheSeconds: -1 }],
    ['a principal that is no function', { principal: 'sub' }],
  ])('must not have %s', (_what, options) => {
    expect(() => jwks({ issuer: ISSUER, audience: AUDIENCE, ...(options as object) })).toThrow(
      TypeError
    )
  })

  it('may have an address of this machine without TLS', () => {
    expect(() => jwks({ issuer: 'http://localhost:8787', audience: AUDIENCE })).not.toThrow()
  })
})
