import type { ScimUserRow } from '../../database/schema/scim-tables.ts'
import { isComplex, type AttributeValue, type Complex } from './attribute-values.ts'
import { ENTERPRISE_SCHEMA, USER_SCHEMA } from './user-attributes.ts'

/** A user as identity providers read it (RFC 7643, section 4.1). The routes add `meta.location`. */
export interface ScimUser {
  readonly schemas: readonly string[]
  readonly id: string
  readonly externalId?: string
  readonly userName: string
  /** Whether the person is an active member. */
  readonly active: boolean
  readonly meta: {
    readonly resourceType: 'User'
    readonly created: string
    readonly lastModified: string
    /** The entity tag, for `If-Match`. */
    readonly version: string
  }
  /** The other attributes, such as `name` and `emails`. */
  readonly [attribute: string]: unknown
}

/** Returns a user as identity providers read it. */
export function scimUserView(row: Omit<ScimUserRow, 'position'>, active: boolean): ScimUser {
  const { id, externalId, userName, createdAt, updatedAt } = row
  const attributes = attributesOf(row)
  return {
    schemas: ENTERPRISE_SCHEMA in attributes ? [USER_SCHEMA, ENTERPRISE_SCHEMA] : [USER_SCHEMA],
    id,
    ...(externalId !== null && { externalId }),
    userName,
    ...attributes,
    active,
    meta: {
      resourceType: 'User',
      created: createdAt.toISOString(),
      lastModified: updatedAt.toISOString(),
      version: versionOf(row, active),
    },
  }
}

/** Returns the attributes that are stored as one object. */
export function attributesOf({ attributes }: Pick<ScimUserRow, 'attributes'>): Complex {
  const read = JSON.parse(attributes) as AttributeValue
  return isComplex(read) ? read : {}
}

// The membership is no part of the row, so the tag names it too.
function versionOf({ version }: Pick<ScimUserRow, 'version'>, active: boolean): string {
  return `W/"${version}${active ? 'a' : 'i'}"`
}

/** Whether a list of entity tags names the resource as it is; `*` names every one. */
export function isNamedBy(
  header: string,
  { meta }: { readonly meta: Pick<ScimUser['meta'], 'version'> }
): boolean {
  const weak = (tag: string) => tag.trim().replace(/^W\//, '')
  return header.split(',').some((tag) => tag.trim() === '*' || weak(tag) === weak(meta.version))
}
