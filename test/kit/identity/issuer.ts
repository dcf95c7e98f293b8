import {
  exportJWK,
  generateKeyPair,
  SignJWT,
  type JWTHeaderParameters,
  type JWTPayload,
} from 'jose'
import { Hono } from 'hono'
import { jwks, type JwksOptions } from '../../../src/identity/index.ts'

export const ISSUER = 'https://id.example.com'
export const AUDIENCE = 'https://api.example.com'

type Keys = Awaited<ReturnType<typeof generateKeyPair>>

// One for the tests of a file: an RSA key takes a third of a second.
const first = new Map<string, Promise<Keys>>()

const newKeys = (algorithm: string) => generateKeyPair(algorithm, { extractable: true })

function firstKeys(algorithm: string): Promise<Keys> {
  const keys = first.get(algorithm) ?? newKeys(algorithm)
  first.set(algorithm, keys)
  return keys
}

/** An issuer with real keys: it signs tokens, and serves its key set to a `fetch` of its own. */
export async function createIssuer(algorithm = 'RS256', url = `${ISSUER}/.well-known/jwks.json`) {
  const signing = new Map<string, Keys>()
  let served: object[] = []
  let answer: (url: string) => Promise<Response> | Response = () => Response.json({ keys: served })
  const fetched: string[] = []
  let clock = new Date('2026-11-30T10:00:00Z')

  async function addKey(id: string, members: object = {}) {
    const keys = await (id === 'first' ? firstKeys(algorithm) : newKeys(algorithm))
    signing.set(id, keys)
    served.push({ ...(await exportJWK(keys.publicKey)), kid: id, ...members })
    return keys
  }
  await addKey('first')

  const seconds = () => Math.floor(clock.getTime() / 1000)
  return {
    addKey,
    fetched,
    seconds,
    now: () => clock,
    pass: (s: number) => (clock = new Date(clock.getTime() + s * 1000)),
    serve: (keys: object[]) => (served = keys),
    served: () => served,
    keys: (id = 'first') => signing.get(id)!,
    answerWith: (next: typeof answer) => (answer = next),
    answerAgain: () => (answer = () => Response.json({ keys: served })),
    fetch: async (asked: string) => {
      fetched.push(asked)
      return asked === url ? answer(asked) : new Response(null, { status: 404 })
    },
    claims: (claims: object = {}): JWTPayload => ({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: 'ann',
      iat: seconds(),
      exp: seconds() + 60,
      ...claims,
    }),
    async token(
      claims: object = {},
      header: Partial<JWTHeaderParameters> = {},
      key = signing.get('first')!.privateKey
    ) {
      const payload = Object.fromEntries(
        Object.entries(this.claims(claims)).filter(([, value]) => value !== undefined)
      )
      const protectedHeader = { alg: algorithm, kid: 'first', typ: 'JWT', ...header }
      return new SignJWT(payload)
        .setProtectedHeader(protectedHeader as JWTHeaderParameters)
        .sign(key)
    },
  }
}

/** Runs `authenticate` of a source as a route does. */
export async function callerOf(
  authenticate: (c: never) => unknown,
  headers: Readonly<Record<string, string>>
): Promise<unknown> {
  const app = new Hono().get('/', async (c) => c.json({ caller: await authenticate(c as never) }))
  app.onError((error) => Response.json({ error: error.name }))
  const answer = await app.request('/', { headers })
  const { caller, error } = await answer.json<{ caller?: unknown; error?: string }>()
  return error ?? caller
}

type Issuer = Awaited<ReturnType<typeof createIssuer>>

/** The source of the callers of an issuer. */
export function identityOf(issuer: Issuer, options: Partial<JwksOptions> = {}) {
  const { fetch, now } = issuer
  return jwks({ issuer: ISSUER, audience: AUDIENCE, fetch, now, ...options })
}
