import { checkOptionNames, namesOf } from '../../base/names.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { Part } from '../../engine/changes/part.ts'
import { keyCreators, keyFollower, keysInRole } from './end-keys.ts'
import { PREFIX } from './key-text.ts'

/** Options of {@link apiKeys}. */
export interface ApiKeysOptions {
  /**
   * The beginning of new keys: words of `a-z` and `0-9`, joined by `_`, beginning with a letter, up to 32
   * characters. Default `"sg_live"`. Keys with an earlier prefix stay valid.
   */
  readonly prefix?: string
  /** How many keys of an organization are valid at once, without those that are replaced. Default 50. */
  readonly mostKeys?: number
}

/** The part that {@link apiKeys} makes. */
export interface ApiKeysPart extends Part<'keys'> {
  readonly prefix: string
  readonly mostKeys: number
}

/** The context of an operation on API keys. */
export interface KeysContext extends ChangeContext {
  readonly keys: ApiKeysPart
}

const OPTIONS = namesOf<ApiKeysOptions>({ prefix: true, mostKeys: true })
const MOST_KEYS = 500

/**
 * Lets organizations create API keys for machines. A key has at most the rights of its creator and takes no
 * seat.
 *
 * @throws {TypeError} if an option is invalid.
 *
 * @example
 * ```ts
 * import { apiKeys, authenticateKeys, keyRoutes } from 'seatgate/keys'
 *
 * const seatgate = createSeatgate({ …, keys: apiKeys({ prefix: 'acme_live' }) })
 * const withKeys = authenticateKeys(seatgate, authenticate)
 * app
 *   .route('/', keyRoutes(seatgate, { authenticate: withKeys }))
 *   .use('/o/:org/*', loadOrganizationFromSlug(seatgate, { authenticate: withKeys }))
 * ```
 */
export function apiKeys(options: ApiKeysOptions = {}): ApiKeysPart {
  checkOptionNames('apiKeys', options, OPTIONS)
  const { prefix = 'sg_live', mostKeys = 50 } = options
  if (typeof prefix !== 'string' || !PREFIX.test(prefix)) {
    throw new TypeError('apiKeys: prefix must be words of a-z and 0-9 that are joined by "_".')
  }
  if (!Number.isInteger(mostKeys) || mostKeys < 1 || mostKeys > MOST_KEYS) {
    throw new TypeError(`apiKeys: mostKeys must be a whole number from 1 to ${MOST_KEYS}.`)
  }
  return {
    part: 'keys',
    prefix,
    mostKeys,
    followers: [keyFollower],
    roleHolders: [keysInRole],
    creators: [keyCreators],
  }
}
