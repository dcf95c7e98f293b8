/**
 * JSON Schema of the messages of SCIM (RFC 7643, RFC 7644), the attributes as the code has them.
 *
 * @module
 */
import { GROUP_SCHEMA } from '../../src/parts/scim-groups/scim-group.ts'
import {
  ENTERPRISE_ATTRIBUTES,
  ENTERPRISE_SCHEMA,
  PATCH_SCHEMA,
  USER_ATTRIBUTES,
  USER_SCHEMA,
  type Attribute,
} from '../../src/parts/scim/user-attributes.ts'
import type { Schema } from './schema-of-type.ts'

const MESSAGES = 'urn:ietf:params:scim:api:messages:2.0'
const text = { type: 'string' }
const number = { type: 'integer', minimum: 0 }
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
const schemasOf = (id: string): Schema => ({ type: 'array', contains: { const: id }, items: text })
const listOf = (items: Schema): Schema => ({ type: 'array', items })

function object(properties: Readonly<Record<string, Schema>>, required = Object.keys(properties)) {
  return { type: 'object', properties, ...(required.length > 0 && { required }) }
}

function schemaOf({ kind, many, attributes }: Attribute): Schema {
  const one = kind === 'complex' ? complexOf(attributes) : { type: KINDS[kind] }
  return many ? listOf(one) : one
}

// In a schema a member of this name is a reference, even where it names a property.
const REFERENCE = '$ref'

function complexOf(attributes: readonly Attribute[]): Schema {
  const isOpen = attributes.some(({ name }) => name === REFERENCE)
  return { ...object(membersOf(attributes), []), ...(isOpen && { additionalProperties: true }) }
}

const KINDS = { text: 'string', boolean: 'boolean' } as const

function membersOf(attributes: readonly Attribute[]): Readonly<Record<string, Schema>> {
  const named = attributes.filter(({ name }) => name !== REFERENCE)
  return Object.fromEntries(named.map((each) => [each.name, schemaOf(each)]))
}

const attributes = {
  ...membersOf(USER_ATTRIBUTES),
  [ENTERPRISE_SCHEMA]: complexOf(ENTERPRISE_ATTRIBUTES),
}
const meta = object({ resourceType: text, location: { type: 'string', format: 'uri' } })
const changingMeta = object({
  ...(meta.properties as Record<string, Schema>),
  created: { type: 'string', format: 'date-time' },
  lastModified: { type: 'string', format: 'date-time' },
  version: { type: 'string', description: 'The entity tag, for `If-Match`.' },
})
const groupAttributes = { displayName: text, externalId: text }
const list = (items: Schema) =>
  object({
    schemas: schemasOf(`${MESSAGES}:ListResponse`),
    totalResults: number,
    startIndex: { type: 'integer', minimum: 1 },
    itemsPerPage: number,
    Resources: listOf(items),
  })
const feature = object({ supported: { type: 'boolean' } })

/** The components that the paths of SCIM refer to. */
export const SCIM_SCHEMAS: Readonly<Record<string, Schema>> = {
  ScimUserInput: {
    ...object({ schemas: schemasOf(USER_SCHEMA), ...attributes }, ['schemas', 'userName']),
    description: 'A user that an identity provider pushes. Other attributes are ignored.',
    additionalProperties: true,
  },
  ScimUser: object(
    {
      schemas: schemasOf(USER_SCHEMA),
      id: text,
      ...attributes,
      meta: changingMeta,
    },
    ['schemas', 'id', 'userName', 'active', 'meta']
  ),
  ScimUserList: list(ref('ScimUser')),
  ScimGroupInput: {
    ...object(
      {
        schemas: schemasOf(GROUP_SCHEMA),
        ...groupAttributes,
        members: listOf({ ...object({ value: text }), additionalProperties: true }),
      },
      ['schemas', 'displayName']
    ),
    description: 'A group that an identity provider pushes. Other attributes are ignored.',
    additionalProperties: true,
  },
  ScimGroup: {
    ...object(
      {
        schemas: schemasOf(GROUP_SCHEMA),
        id: text,
        ...groupAttributes,
        members: listOf(object({ value: text, type: { const: 'User' }, display: text })),
        meta: changingMeta,
      },
      ['schemas', 'id', 'meta']
    ),
    description: 'A group; a change is answered without the members.',
  },
  ScimGroupList: list(ref('ScimGroup')),
  ScimPatch: object({
    schemas: schemasOf(PATCH_SCHEMA),
    Operations: listOf(
      object(
        {
          op: { ...text, description: '`add`, `remove` or `replace`, in any case.' },
          path: text,
          value: {},
        },
        ['op']
      )
    ),
  }),
  ScimError: {
    ...object(
      {
        schemas: schemasOf(`${MESSAGES}:Error`),
        status: { type: 'string', pattern: '^[45][0-9][0-9]$' },
        scimType: text,
        detail: text,
      },
      ['schemas', 'status', 'detail']
    ),
    description: 'An error of RFC 7644, section 3.12.',
  },
  ScimServiceProviderConfig: object({
    schemas: listOf(text),
    patch: feature,
    bulk: object({ supported: { type: 'boolean' }, maxOperations: number, maxPayloadSize: number }),
    filter: object({ supported: { type: 'boolean' }, maxResults: number }),
    changePassword: feature,
    sort: feature,
    etag: feature,
    authenticationSchemes: listOf({ type: 'object', additionalProperties: true }),
    meta,
  }),
  ScimDocument: {
    ...object({ schemas: listOf(text), id: text, meta }),
    description: 'A resource type or a schema (RFC 7643, sections 6 and 7).',
    additionalProperties: true,
  },
  ScimDocumentList: list(ref('ScimDocument')),
}
