import type { DiscoveryDocument } from '../scim/discovery.ts'
import { GROUP_SCHEMA } from './scim-group.ts'

/** The kind of resource that groups are. */
export const GROUP_TYPE: DiscoveryDocument = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
  id: 'Group',
  name: 'Group',
  endpoint: '/Groups',
  description: 'A group of members of the organization.',
  schema: GROUP_SCHEMA,
  schemaExtensions: [],
  meta: { resourceType: 'ResourceType', location: '/ResourceTypes/Group' },
}

const text = (name: string, more: object = {}) => ({
  name,
  type: 'string',
  multiValued: false,
  description: name,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...more,
})

/** The schema of groups. */
export const GROUP_DOCUMENT: DiscoveryDocument = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
  id: GROUP_SCHEMA,
  name: 'Group',
  description: 'Group',
  attributes: [
    text('displayName', { required: true, uniqueness: 'server' }),
    text('externalId', { caseExact: true }),
    {
      ...text('members'),
      type: 'complex',
      multiValued: true,
      subAttributes: [
        text('value', { caseExact: true, mutability: 'immutable' }),
        text('type', { mutability: 'immutable' }),
        text('display', { mutability: 'readOnly' }),
      ],
    },
  ],
  meta: { resourceType: 'Schema', location: `/Schemas/${GROUP_SCHEMA}` },
}
