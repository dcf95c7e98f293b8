/** A request under a former slug. */
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
 * Returns the target of a request under a former slug: the same path and query with the parameter's
 * segment replaced, and the query parameter of that name if it is exactly the old slug. All other bytes
 * stay the same. Returns null if the segment cannot be found, or if the target equals the source.
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
