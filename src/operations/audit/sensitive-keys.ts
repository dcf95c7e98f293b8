// As they are compared: without the case and the separators in which spellings differ.
const FORBIDDEN: ReadonlySet<string> = new Set(
  (
    'password passwordhash passwordconfirmation totpcode totpsecret backupcode sessiontoken ' +
    'bearertoken apikey token accesstoken refreshtoken oauthsecret clientsecret secret ' +
    'hashedtoken rawtoken tokenhash'
  ).split(' ')
)

/**
 * The first key of a JSON value under which a secret would lie, at whatever depth and in whichever
 * spelling (`apiKey`, `api-key`, `API_KEY`), as a path; null if there is none. The values do not
 * matter, and are never named.
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
