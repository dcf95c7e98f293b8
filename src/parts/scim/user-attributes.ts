/**
 * The attributes of a SCIM user: what is read, stored, filtered by a path and described by `/Schemas`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7643#section-4.1
 *
 * @module
 */
import { lowerCase } from '../../base/input.ts'

export const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const ENTERPRISE_SCHEMA = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const PATCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

/** An attribute: a text, a boolean, or a complex one with its own attributes. */
export interface Attribute {
  readonly name: string
  readonly kind: 'text' | 'boolean' | 'complex'
  readonly many: boolean
  readonly attributes: readonly Attribute[]
}

const text = (name: string): Attribute => ({ name, kind: 'text', many: false, attributes: [] })
const flag = (name: string): Attribute => ({ ...text(name), kind: 'boolean' })
const complex = (name: string, attributes: readonly Attribute[], many = false): Attribute => ({
  name,
  kind: 'complex',
  many,
  attributes,
})

/** A list of values, each with its type, such as `work`. */
const list = (name: string, own: readonly string[] = ['value', 'display']): Attribute =>
  complex(name, [...own.map(text), text('type'), flag('primary')], true)

/** The names of the address of a person, as RFC 7643 has them. */
const PLACE = ['formatted', 'streetAddress', 'locality', 'region', 'postalCode', 'country']
const NAME = [
  'formatted',
  'familyName',
  'givenName',
  'middleName',
  'honorificPrefix',
  'honorificSuffix',
]

/** The attributes of the schema `User`. Others are ignored. */
export const USER_ATTRIBUTES: readonly Attribute[] = [
  text('userName'),
  text('externalId'),
  flag('active'),
  complex('name', NAME.map(text)),
  ...[
    'displayName',
    'nickName',
    'profileUrl',
    'title',
    'userType',
    'preferredLanguage',
    'locale',
    'timezone',
  ].map(text),
  list('emails'),
  list('phoneNumbers'),
  list('ims'),
  list('photos'),
  list('addresses', PLACE),
]

/** The attributes of the enterprise extension. */
export const ENTERPRISE_ATTRIBUTES: readonly Attribute[] = [
  ...['employeeNumber', 'costCenter', 'organization', 'division', 'department'].map(text),
  complex('manager', ['value', '$ref', 'displayName'].map(text)),
]

/** The resource as a whole: its attributes, and its extension under its own name. */
export const RESOURCE: Attribute = complex('user', [
  ...USER_ATTRIBUTES,
  complex(ENTERPRISE_SCHEMA, ENTERPRISE_ATTRIBUTES),
])

/** Names that clients send and that only this side decides, in lower case. */
export const READ_ONLY: ReadonlySet<string> = new Set(['id', 'schemas', 'meta', 'groups'])

/** Returns the attribute of this name, in any case. */
export function attributeNamed(
  { attributes }: Pick<Attribute, 'attributes'>,
  name: string
): Attribute | undefined {
  const lower = lowerCase(name)
  return attributes.find((attribute) => lowerCase(attribute.name) === lower)
}
