/**
 * The documents by which a client learns what is supported (RFC 7643, sections 5 to 7).
 *
 * @module
 */
import { MOST_USERS } from './list-users.ts'
import {
  ENTERPRISE_ATTRIBUTES,
  ENTERPRISE_SCHEMA,
  USER_ATTRIBUTES,
  USER_SCHEMA,
  type Attribute,
} from './user-attributes.ts'

const SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Schema'
const RESOURCE_TYPE = 'urn:ietf:params:scim:schemas:core:2.0:ResourceType'
const CONFIG = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'

/** A document, whose `meta.location` is its path under the routes of SCIM. */
export interface DiscoveryDocument {
  readonly schemas: readonly string[]
  readonly meta: { readonly resourceType: string; readonly location: string }
  readonly [name: string]: unknown
}

/** The supported features. */
export const SERVICE_PROVIDER_CONFIG: DiscoveryDocument = {
  schemas: [CONFIG],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: MOST_USERS },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: 'A token that an administrator of the organization has created.',
      specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: '/ServiceProviderConfig' },
}

/** The kinds of resources. */
export const RESOURCE_TYPES: readonly DiscoveryDocument[] = [
  {
    schemas: [RESOURCE_TYPE],
    id: 'User',
    name: 'User',
    endpoint: '/Users',
    description: 'A person whom the identity provider pushes.',
    schema: USER_SCHEMA,
    schemaExtensions: [{ schema: ENTERPRISE_SCHEMA, required: false }],
    meta: { resourceType: 'ResourceType', location: '/ResourceTypes/User' },
  },
]

/** The schemas of the resources. */
export const SCHEMAS: readonly DiscoveryDocument[] = [
  schemaOf(USER_SCHEMA, 'User', USER_ATTRIBUTES),
  schemaOf(ENTERPRISE_SCHEMA, 'EnterpriseUser', ENTERPRISE_ATTRIBUTES),
]

function schemaOf(id: string, name: string, attributes: readonly Attribute[]): DiscoveryDocument {
  return {
    schemas: [SCHEMA],
    id,
    name,
    description: name,
    attributes: attributes.map(described),
    meta: { resourceType: 'Schema', location: `/Schemas/${id}` },
  }
}

function described({ name, kind, many, attributes }: Attribute): object {
  return {
    name,
    type: kind === 'text' ? 'string' : kind,
    multiValued: many,
    description: name,
    required: name === 'userName',
    ...(kind === 'text' && { caseExact: name === 'externalId' }),
    mutability: 'readWrite',
    returned: 'default',
    ...(kind !== 'boolean' && { uniqueness: name === 'userName' ? 'server' : 'none' }),
    ...(attributes.length > 0 && { subAttributes: attributes.map(described) }),
  }
}
