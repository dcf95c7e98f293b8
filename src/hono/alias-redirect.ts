/** A request under a slug that was given up. */
export interface AliasedRequest {
  readonly url: string
  /** The route's pattern, such as `/o/:org/*`. */
  readonly routePath: string
  /** The name of its parameter. */
  readonly parameter: string
  readonly oldSlug: string
  readonly newSlug: string
}

/**
 * Where a request under an old slug is to go: the same path and query with the parameter's own
 * segment replaced, and the query parameter of that name if it is exactly the old slug. Everything
 * else stays byte for byte. Null if it cannot be told, or would lead to where it comes from.
 */
export function aliasTarget(request: AliasedRequest): string | null {
  const { url, routePath, parameter, oldSlug } = request
  const newSlug = encodeURIComponent(request.newSlug)
  const { pathname, search } = new URL(url)
  // A parameter's own expression may have slashes in it.
  const index = routePath
    .replaceAll(/\{[^}]+\}/g, '')
    .split('/')
    .findIndex((part) => part.replace(/\W*$/, '') === `:${parameter}`)
  const segments = pathname.split('/')
  const segment = segments[index]
  if (index < 1 || segment === undefined || decoded(segment) !== oldSlug) return null
  segments[index] = newSlug
  const target = segments.join('/') + redirectedQuery(search, parameter, oldSlug, newSlug)
  return target === pathname + search || target.startsWith('//') ? null : target
}

function redirectedQuery(
  search: string,
  parameter: string,
  oldSlug: string,
  newSlug: string
): string {
  return search
    .split('&')
    .map((pair) => {
      const [, mark = '', name = '', value = ''] = /^(\??)([^=]*)=(.*)$/s.exec(pair) ?? []
      const names = decoded(name) === parameter && decoded(value) === oldSlug
      return names ? `${mark}${name}=${newSlug}` : pair
    })
    .join('&')
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
