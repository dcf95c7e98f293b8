import type { Context } from 'hono'
import { partOf } from '../../engine/changes/part.ts'
import { callerOfKey, type KeyLookup } from '../../parts/keys/api-key.ts'
import { isApiKey } from '../../parts/keys/key-text.ts'
import type { ApiKeysPart } from '../../parts/keys/keys.ts'
import { bearerOf, checkAuthenticate, type Authenticate } from '../request.ts'

/**
 * Authenticates requests with an API key in `Authorization: Bearer`, and all others by the host's own
 * `authenticate`. The key is looked up in the round trip of the operation. The caller is a service account
 * of the key's organization, with the id of the key. A text that begins like a key and is not one is
 * `unauthenticated` without a query. Keys elsewhere, such as in the URL, are ignored.
 *
 * @throws {TypeError} if `keys` is not configured, or `authenticate` is not a function.
 *
 * @example
 * ```ts
 * const withKeys = authenticateKeys(seatgate, authenticate)
 * app.route('/', seatgateRouter(seatgate, { authenticate: withKeys }))
 * ```
 */
export function authenticateKeys(
  seatgate: KeyLookup & { readonly keys: ApiKeysPart },
  authenticate: Authenticate = () => null
): Authenticate {
  const { prefix } = partOf(seatgate, 'keys')
  checkAuthenticate('authenticateKeys', authenticate)
  return (c) => {
    const token = bearerOf(c)
    const isKey = isApiKey(token)
    if (!isKey && !token.startsWith(`${prefix}_`)) return authenticate(c)
    return isKey ? callerOfKey({ ...seatgate, waitUntil: lasting(seatgate, c) }, token) : null
  }
}

// The runtime's own function, or that of the request.
function lasting({ waitUntil }: KeyLookup, c: Context): KeyLookup['waitUntil'] {
  return waitUntil ?? ((work) => hasContext(c) && c.executionCtx.waitUntil(work))
}

// Outside of Workers reading it throws.
function hasContext(c: Context): boolean {
  try {
    return Boolean(c.executionCtx)
  } catch {
    return false
  }
}
