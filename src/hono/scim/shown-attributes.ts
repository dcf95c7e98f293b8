import { lowerCase } from '../../base/input.ts'
/** Always returned (RFC 7643, section 7). */
const ALWAYS: readonly string[] = ['id', 'schemas', 'meta']

/**
 * Returns a resource with the attributes that a request names, or without those that it excludes (RFC
 * 7644, section 3.9). A name of a sub-attribute stands for its attribute.
 */
export function shown(
  resource: Readonly<Record<string, unknown>>,
  attributes: string | undefined,
  excluded: string | undefined
): Readonly<Record<string, unknown>> {
  if (attributes === undefined && excluded === undefined) return resource
  const wanted = attributes === undefined ? null : namesIn(attributes)
  const left = excluded === undefined ? [] : namesIn(excluded)
  const entries = Object.entries(resource).filter(([name]) => {
    if (ALWAYS.includes(name)) return true
    return wanted ? isNamed(name, wanted) : !left.includes(lowerCase(name))
  })
  return Object.fromEntries(entries)
}

function namesIn(list: string): readonly string[] {
  const core = 'urn:ietf:params:scim:schemas:core:2.0:user:'
  return lowerCase(list)
    .split(',')
    .map((name) => name.trim())
    .map((name) => (name.startsWith(core) ? name.slice(core.length) : name))
}

function isNamed(name: string, wanted: readonly string[]): boolean {
  const lower = lowerCase(name)
  const below = lower.startsWith('urn:') ? `${lower}:` : `${lower}.`
  return wanted.some((each) => each === lower || each.startsWith(below))
}
