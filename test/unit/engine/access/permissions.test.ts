import { describe, expect, it } from 'vitest'
import {
  createSeatgate,
  d1Seats,
  permissions,
  type SeatgateOptions,
} from '../../../../src/index.ts'

const batch = () => Promise.reject(new Error('No database is asked at set-up.'))

function roles({
  resources,
  grants,
  ...lists
}: { readonly resources?: unknown; readonly grants?: unknown } & Readonly<
  Record<string, unknown>
>) {
  const granted = grants !== undefined || resources !== undefined
  const options = {
    ...lists,
    ...(granted && {
      permissions: permissions({ ...(resources !== undefined && { resources }), grants } as never),
    }),
  }
  return createSeatgate({
    database: { batch },
    seats: d1Seats(),
    sessions: 'none',
    roles: options,
  } as unknown as SeatgateOptions).roles
}

const resources = { project: ['read', 'write', 'delete'], 'invoice-item': ['read'] }
const OWN = [
  'members:invite',
  'members:manage',
  'organization:update',
  'billing:manage',
  'audit:read',
]
const ALL = [...OWN, 'project:read', 'project:write', 'project:delete', 'invoice-item:read']

describe('permissions', () => {
  it('are the library’s own, then those of the host [PERM-1]', () => {
    expect(roles({}).permissions).toEqual(OWN)
    expect(roles({ resources, grants: {} }).permissions).toEqual(ALL)
  })

  it('of the owner are all; a role that is not listed has an empty set [PERM-1]', () => {
    const { grants } = roles({ resources, grants: { admin: ['project:read'] } })
    expect(Object.fromEntries(grants)).toEqual({ owner: ALL, admin: ['project:read'], member: [] })
  })

  it('are granted one by one, by resource, or all, in one order and once [PERM-1]', () => {
    const of = (...names: string[]) =>
      roles({ resources, grants: { admin: names } }).grants.get('admin')
    expect(of('project:delete', 'audit:read', 'audit:read')).toEqual([
      'audit:read',
      'project:delete',
    ])
    expect(of('project:*', 'project:read')).toEqual([
      'project:read',
      'project:write',
      'project:delete',
    ])
    expect(of('members:*')).toEqual(['members:invite', 'members:manage'])
    expect(of('*', 'project:read')).toEqual(ALL)
    expect(of()).toEqual([])
  })

  it('for the library’s acts decide which roles administer [PERM-2]', () => {
    const grants = {
      admin: ['members:*', 'audit:read'],
      member: ['members:invite', 'organization:update', 'billing:manage'],
    }
    expect(roles({ grants })).toMatchObject({
      invitationAdmins: ['owner', 'admin', 'member'],
      memberAdmins: ['owner', 'admin'],
      organizationAdmins: ['owner', 'member'],
      billingAdmins: ['owner', 'member'],
      auditReaders: ['owner', 'admin'],
      bounded: true,
    })
  })

  it('follow from the lists of roles without grants [PERM-2]', () => {
    const { grants, bounded, billingAdmins, auditReaders } = roles({
      invitationAdmins: ['owner', 'member'],
      memberAdmins: ['admin'],
      organizationAdmins: ['member'],
    })
    expect(bounded).toBe(false)
    expect(Object.fromEntries(grants)).toEqual({
      owner: ['members:invite'],
      admin: ['members:manage', 'audit:read'],
      member: ['members:invite', 'organization:update', 'billing:manage'],
    })
    expect([billingAdmins, auditReaders]).toEqual([['member'], ['admin']])
  })
})

describe('createSeatgate refuses', () => {
  const own = { all: ['chief', 'clerk'], owner: 'chief' }
  it.each<[string, Parameters<typeof roles>[0], string]>([
    ['resources alone', { resources }, 'roles.permissions: grants must be an object.'],
    [
      'resources that are a list',
      { resources: [], grants: {} },
      'roles.permissions: resources must be an object.',
    ],
    [
      'an empty resource',
      { resources: { '': ['a'] }, grants: {} },
      'roles.permissions: resources has the resource ""',
    ],
    [
      'a resource with a colon',
      { resources: { 'a:b': ['a'] }, grants: {} },
      'has the resource "a:b"',
    ],
    [
      'a wildcard for a resource',
      { resources: { '*': ['a'] }, grants: {} },
      'has the resource "*"',
    ],
    [
      'a resource of the library',
      { resources: { members: ['a'] }, grants: {} },
      'has "members", a resource of the library',
    ],
    [
      'no action',
      { resources: { project: [] }, grants: {} },
      'roles.permissions: resources.project must be a list of actions.',
    ],
    [
      'an action that is no text',
      { resources: { project: [7] }, grants: {} },
      'roles.permissions: resources.project has the action "7"',
    ],
    ['an empty action', { resources: { project: [''] }, grants: {} }, 'has the action ""'],
    [
      'a wildcard for an action',
      { resources: { project: ['*'] }, grants: {} },
      'has the action "*"',
    ],
    [
      'an action twice',
      { resources: { project: ['a', 'a'] }, grants: {} },
      'roles.permissions: resources.project has an action twice.',
    ],
    [
      'too many',
      { resources: { project: Array.from({ length: 196 }, (_, n) => `a${n}`) }, grants: {} },
      'more than 200 permissions',
    ],
    ['grants that are a list', { grants: [] }, 'roles.permissions: grants must be an object.'],
    ['grants that are null', { grants: null }, 'roles.permissions: grants must be an object.'],
    [
      'a role that does not exist',
      { grants: { boss: ['*'] } },
      'roles.permissions: grants has "boss", which is not in roles.all.',
    ],
    [
      'a role by the name of a method',
      { grants: { toString: ['*'] } },
      'roles.permissions: grants has "toString"',
    ],
    [
      'the owner’s role',
      { grants: { owner: ['*'] } },
      'roles.permissions: grants has "owner", which has all permissions.',
    ],
    [
      'the owner’s role under its own name',
      { ...own, grants: { chief: [] } },
      'roles.permissions: grants has "chief", which has all',
    ],
    [
      'a grant that is no list',
      { grants: { admin: '*' } },
      'roles.permissions: grants.admin must be a list of permissions.',
    ],
    [
      'an unknown permission',
      { resources, grants: { admin: ['project:raed'] } },
      'roles.permissions: grants.admin has "project:raed", which is not a permission.',
    ],
    [
      'an unknown resource',
      { grants: { admin: ['project:*'] } },
      'roles.permissions: grants.admin has "project:*"',
    ],
    [
      'an empty permission',
      { grants: { admin: [''] } },
      'roles.permissions: grants.admin has "", which is not a permission.',
    ],
    [
      'a permission that is no text',
      { grants: { admin: [null] } },
      'roles.permissions: grants.admin has "null"',
    ],
    [
      'grants beside a list',
      { grants: {}, memberAdmins: ['owner'] },
      'roles.memberAdmins and roles.permissions say the same',
    ],
  ])('%s [PERM-3]', (_what, options, message) => {
    expect(() => roles(options)).toThrow(TypeError)
    expect(() => roles(options)).toThrow(message)
  })

  it('grants that are no part, and an option that does not exist [PERM-3]', () => {
    const make = (given: object) =>
      createSeatgate({
        database: { batch },
        seats: d1Seats(),
        sessions: 'none',
        roles: { permissions: given },
      } as unknown as SeatgateOptions)
    expect(() => make({ grants: {} })).toThrow('roles.permissions must be permissions({ grants }).')
    expect(() => permissions({ grants: {}, resource: {} } as never)).toThrow(
      'permissions: there is no option "resource". Did you mean "resources"?'
    )
  })

  it('no roles of the host’s own without inviters where there are grants [PERM-3]', () => {
    expect(roles({ ...own, grants: { clerk: ['members:invite'] } }).invitationAdmins).toEqual([
      'chief',
      'clerk',
    ])
  })
})
