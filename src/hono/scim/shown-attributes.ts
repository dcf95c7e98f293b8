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
  const entries = Object.entries(resource).filter(([name]) => isShown(name, attributes, excluded))
  return Object.fromEntries(entries)
}

/** Whether an attribute is in a response to a request with these parameters. */
export function isShown(
  name: string,
  attributes: string | undefined,
  excluded: string | undefined
): boolean {
  if (ALWAYS.includes(name)) return true
  if (attributes !== undefined) return isNamed(name, namesIn(attributes))
  return excluded === undefined || !namesIn(excluded).includes(lowerCase(name))
}

function namesIn(list: string): readonly string[] {
  const core = /^urn:ietf:params:scim:schemas:core:2\.0:(?:user|group):/
  return lowerCase(list)
    .split(',')
    .map((name) => name.trim())
    .map((name) => name.replace(core, ''))
}

function isNamed(name: string, wanted: readonly string[]): boolean {
  const lower = lowerCase(name)
  const below = lower.startsWith('urn:') ? `${lower}:` : `${lower}.`
  return wanted.some((each) => each === lower || each.startsWith(below))
}
