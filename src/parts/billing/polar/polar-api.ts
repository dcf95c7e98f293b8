import { within } from '../../../base/async.ts'
import { checkedPositive, checkedText } from '../adapter-options.ts'
import { errorOfStatus, ProviderError } from '../provider-error.ts'
import type { PolarOptions } from './polar.ts'

/** Calls of Polar's API. A resource that does not exist is null for `get`, an error for the others. */
export interface PolarApi {
  readonly name: string
  get(path: string): Promise<unknown>
  post(path: string, body: object): Promise<unknown>
  patch(path: string, body: object): Promise<unknown>
}

// The version that the tests are for. Without the header Polar answers in the version of the token.
const API_VERSION = '2026-10'

/** @throws {TypeError} if an option is wrong. */
export function polarApi(name: string, options: PolarOptions): PolarApi {
  const { apiUrl = 'https://api.polar.sh', timeoutSeconds = 10, fetch: send = fetch } = options
  const token = checkedText('polar', 'accessToken', options.accessToken)
  const seconds = checkedPositive('polar', 'timeoutSeconds', timeoutSeconds)
  const base = new URL(apiUrl).href.replace(/\/+$/, '')

  async function request(method: string, path: string, body?: object): Promise<Response> {
    try {
      const answer = send(base + path, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'polar-version': API_VERSION,
        },
        ...(body && { body: JSON.stringify(body) }),
        redirect: 'manual',
        signal: AbortSignal.timeout(seconds * 1000),
      })
      return await within(seconds, answer)
    } catch (error) {
      throw new ProviderError('transient', 'unreachable', { cause: error })
    }
  }

  async function read(response: Response): Promise<unknown> {
    const { ok, status, headers } = response
    const answer = await jsonOf(response)
    if (ok) return answer
    const code = status === 429 ? 'rate_limited' : wordIn(answer)
    throw errorOfStatus(status, { ...(code && { code }), retryAfter: headers.get('retry-after') })
  }

  return {
    name,
    async get(path) {
      const response = await request('GET', path)
      if (response.status !== 404) return read(response)
      await response.body?.cancel()
      return null
    },
    post: async (path, body) => read(await request('POST', path, body)),
    patch: async (path, body) => read(await request('PATCH', path, body)),
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch (error) {
    if (!response.ok) return null
    throw new ProviderError('transient', 'no_answer', { cause: error })
  }
}

// Polar's errors have the name of their class, such as `SubscriptionLocked`.
function wordIn(answer: unknown): string | null {
  const word = (answer as { error?: unknown } | null)?.error
  return typeof word === 'string' && /^\w{1,60}$/.test(word) ? word : null
}
