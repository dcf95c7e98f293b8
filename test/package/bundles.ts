/**
 * The bundles whose size is measured: by bytes in `.size-limit.js`, by files in `size.test.ts`.
 *
 * @module
 */

/** The packages that a host installs itself. */
export const PEERS = [
  'drizzle-orm',
  'drizzle-orm/*',
  'hono',
  'hono/*',
  'react',
  'valibot',
  'cloudflare:*',
]

/** The imports of a Worker with organizations and members, and no part. */
export const ORGANIZATIONS_AND_MEMBERS = [
  'createSeatgate',
  'd1Seats',
  'createOrganization',
  'getOrganization',
  'listOrganizations',
  'renameOrganization',
  'updateOrganization',
  'updateSlug',
  'softDeleteOrganization',
  'restoreOrganization',
  'addMember',
  'changeRole',
  'removeMember',
  'leaveOrganization',
  'suspendMember',
  'restoreMember',
  'transferOwnership',
  'listMembers',
].join(', ')
