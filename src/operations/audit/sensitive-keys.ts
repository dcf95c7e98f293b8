// Compared without case and separators, in which spellings differ.
const FORBIDDEN: ReadonlySet<string> = new Set(
  (
    'password passwordhash passwordconfirmation totpcode totpsecret backupcode sessiontoken ' +
    'bearertoken apikey token accesstoken refreshtoken oauthsecret clientsecret secret ' +
    'hashedtoken rawtoken tokenhash'
  ).split(' ')
)

/**
 * Returns the path of the first key of a JSON value that names a secret, at any depth and in any spelling
 * (`apiKey`, `api-key`, `API_KEY`); null if there is none. Values are not checked and never named.
 *
 * @example
 * ```ts
 * forbiddenKey({ login: [{ accessToken: 'x' }] }) // 'login.0.accessToken'
 * ```
 */
export function forbiddenKey(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null
  for (const [key, member] of Object.entries(value)) {
    if (!Array.isArray(value) && FORBIDDEN.has(plain(key))) return key
    const below = forbiddenKey(member)
    if (below !== null) return `${key}.${below}`
  }
  return null
}

function plain(key: string): string {
  return key
    .normalize('NFKC')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase()
}
