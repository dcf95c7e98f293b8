import type { Context, MiddlewareHandler } from 'hono'
import { problemResponse } from '../../src/hono/index.ts'
import type { RateName, Settings } from '../settings.ts'

/**
 * A rate limit of Workers, as `[[ratelimits]]` in `wrangler.toml` binds it.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/
 */
export interface RateLimit {
  limit(options: { readonly key: string }): Promise<{ readonly success: boolean }>
}

/** The limits of the reference host; undefined: no limit. */
export interface Rates {
  /** Of one network: sign-ups and sign-ins. */
  readonly network?: RateLimit | undefined
  /** Of one account, by its address: sign-ins. */
  readonly account?: RateLimit | undefined
  /** Of one user: requests that check a proof of identity. */
  readonly proof?: RateLimit | undefined
}

/**
 * Looks up the bindings that the variables choose: 20 requests a minute are counted by `RATE_20`.
 *
 * @throws {TypeError} naming a variable that chooses a limit that is not bound.
 */
export function boundRates(rates: Settings['rates'], bindings: object): Rates {
  const bound = new Map<string, unknown>(Object.entries(bindings))
  const chosen = (name: RateName) => {
    const rate = rates[name]
    if (rate === 'unlimited') return undefined
    const binding = bound.get(`RATE_${rate}`)
    if (binding !== undefined) return binding as RateLimit
    throw new TypeError(`${name} is ${rate}, and wrangler.toml has no [[ratelimits]] RATE_${rate}.`)
  }
  return {
    network: chosen('NETWORK_RATE'),
    account: chosen('ACCOUNT_RATE'),
    proof: chosen('PROOF_RATE'),
  }
}

// The `period` in wrangler.toml: the binding does not tell it.
const PERIOD_SECONDS = 60

/** Answers 429 to a network that asks too often. Without an address there is nobody to count. */
export function limitNetworks(rate: RateLimit | undefined): MiddlewareHandler {
  return async (c, next) => {
    const address = c.req.header('cf-connecting-ip')
    if (address && !(await isWithin(rate, `network:${networkOf(address)}`))) return tooOften()
    await next()
  }
}

/**
 * Answers 429 to a user who asks too often, before a password is checked. A request without a session
 * passes: the route refuses it.
 */
export function limitUsers(
  rate: RateLimit | undefined,
  userIdOf: (c: Context) => Promise<string | null>
): MiddlewareHandler {
  return async (c, next) => {
    const userId = rate === undefined ? null : await userIdOf(c)
    if (userId !== null && !(await isWithin(rate, `proof:${userId}`))) return tooOften()
    await next()
  }
}

/**
 * Whether one more is within the limit. If the limit cannot be asked, it is: an outage of it must not
 * keep everybody from signing in.
 */
export async function isWithin(rate: RateLimit | undefined, key: string): Promise<boolean> {
  try {
    return rate === undefined || (await rate.limit({ key })).success
  } catch (error) {
    console.error('rate_limit_failed', error instanceof Error ? error.name : 'Error')
    return true
  }
}

/** The answer to one attempt too many. */
export function tooOften(): Response {
  return problemResponse({ code: 'rate_limited', retryAfterSeconds: PERIOD_SECONDS })
}

/** The network of an address: of IPv6 the first 64 bits, as one household or attacker has all of them. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4)
  return groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')
}
