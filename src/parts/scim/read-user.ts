import * as v from 'valibot'
import { Email } from '../../base/email.ts'
import { lowerCase, UnreadableInput } from '../../base/input.ts'
import { ok, type Result } from '../../base/result.ts'
import {
  complexOf,
  isComplex,
  isList,
  readingValues,
  textOfValue,
  type AttributeValue,
  type Complex,
} from './attribute-values.ts'
import { scimInvalid } from './scim-invalid.ts'
import { RESOURCE, USER_SCHEMA } from './user-attributes.ts'

/** A user as an identity provider sends one. */
export interface PushedUser {
  readonly userName: string
  readonly userNameKey: string
  /** Undefined if it was left out. */
  readonly externalId: string | undefined
  /** Undefined if it was left out. */
  readonly active: boolean | undefined
  /** The address that stands for the user; null if there is no valid one. */
  readonly email: string | null
  /** The other attributes, as they are stored. */
  readonly attributes: Complex
}

const MOST_BYTES = 16 * 1024

/** Reads the body of a POST or PUT. Its `schemas` must have that of users. */
export function readUser(input: unknown): Result<PushedUser, 'scim_invalid' | 'validation_error'> {
  if (input instanceof UnreadableInput) return input.refuse()
  const schemas = schemasOf(input)
  if (!schemas.includes(lowerCase(USER_SCHEMA))) {
    return scimInvalid('invalidSyntax', `schemas: Must have ${USER_SCHEMA}.`)
  }
  const read = readingValues(() => complexOf(RESOURCE, input))
  return read.ok ? userOf(read.value) : read
}

/** Returns the names of the schemas of a message, in lower case. */
export function schemasOf(input: unknown): readonly string[] {
  if (typeof input !== 'object' || input === null) return []
  const [, schemas] = Object.entries(input).find(([name]) => lowerCase(name) === 'schemas') ?? []
  return Array.isArray(schemas)
    ? schemas.flatMap((name: unknown) => (typeof name === 'string' ? [lowerCase(name)] : []))
    : []
}

/** Checks a resource as a whole. */
export function userOf(resource: Complex): Result<PushedUser, 'scim_invalid'> {
  const { userName, externalId, active, ...attributes } = resource
  if (typeof userName !== 'string' || userName.trim() === '') {
    return scimInvalid('invalidValue', 'userName: Is required.')
  }
  if (new TextEncoder().encode(textOfValue(attributes)).length > MOST_BYTES) {
    return scimInvalid('invalidValue', `The attributes must have at most ${MOST_BYTES} bytes.`)
  }
  return ok({
    userName,
    userNameKey: lowerCase(userName),
    externalId: typeof externalId === 'string' ? externalId : undefined,
    active: typeof active === 'boolean' ? active : undefined,
    email: emailOf(userName, attributes['emails']),
    attributes,
  })
}

// The primary address, else that of work, else the first, else a name that is an address.
function emailOf(userName: string, emails: AttributeValue | undefined): string | null {
  const list = isList(emails) ? emails : []
  const isWork = ({ type }: Complex) => typeof type === 'string' && lowerCase(type) === 'work'
  const chosen = list.find((each) => each['primary'] === true) ?? list.find(isWork) ?? list[0]
  return addressIn(chosen?.['value']) ?? addressIn(userName)
}

function addressIn(text: AttributeValue | undefined): string | null {
  const address = v.safeParse(Email, text)
  return address.success ? address.output : null
}

/** Returns the name of a person for the host: as it is displayed, or from its parts. */
export function nameOf({ displayName, name }: Complex): string | null {
  if (typeof displayName === 'string') return displayName
  if (!isComplex(name)) return null
  const { formatted, givenName, familyName } = name
  if (typeof formatted === 'string') return formatted
  const parts = [givenName, familyName].filter((part) => typeof part === 'string')
  return parts.length === 0 ? null : parts.join(' ')
}
