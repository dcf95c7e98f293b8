import type { MiddlewareHandler } from 'hono'
import { problemResponse } from '../../src/hono/index.ts'

/**
 * A rate limit of Workers, as `[[ratelimits]]` in `wrangler.toml` binds it.
 *
 * @see https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/
 */
export interface RateLimit {
  limit(options: { readonly key: string }): Promise<{ readonly success: boolean }>
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
