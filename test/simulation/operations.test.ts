import { expect, it } from 'vitest'
import * as library from '../../src/index.ts'
import * as groups from '../../src/hono/groups/index.ts'
import * as impersonation from '../../src/hono/impersonation/index.ts'
import * as keys from '../../src/hono/keys/index.ts'
import * as roles from '../../src/hono/roles/index.ts'
import * as scim from '../../src/hono/scim/index.ts'
import { accessDeeds, deeds, delegationDeeds } from './operations/index.ts'

// Why what is exported is no operation that somebody does in the simulation.
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  'is done in a deleted organization alone, by `drawDeed`': ['restoreOrganization'],
  'is how others are done': ['combine', 'commitTogether', 'composeLifecycle'],
  'is run by the simulated platform, the crons and the checkers': [
    'sweepAudit',
    'forwardOrganization',
    'tendOrganization',
    'isQueueBound',
    'sweepRetention',
    'sweepSeats',
  ],
  'repairs what a change by hand left, as rebuildSeats does': ['releaseSeat'],
  configures: [
    'apiKeys',
    'authenticateImpersonation',
    'authenticateKeys',
    'groupRoutes',
    'groups',
    'impersonation',
    'impersonationRoutes',
    'ownRoles',
    'roleRoutes',
    'keyRoutes',
    'scim',
    'scimRoutes',
    'scimTokenRoutes',
    'createSeatgate',
    'invitations',
    'joinRules',
    'auditLog',
    'forwarding',
    'retention',
    'billing',
    'd1Seats',
    'd1Sessions',
    'ledgerSeats',
    'unlimitedSeats',
    'userLimits',
    'permissions',
    'seatTypes',
    'seatLimit',
    'bucketSink',
    'webhookSink',
    'allow',
    'refuse',
  ],
  reads: [
    'getScimGroup',
    'listGroupMembers',
    'listGroups',
    'listImpersonations',
    'listOwnImpersonations',
    'listRoles',
    'listScimGroups',
    'getScimUser',
    'listApiKeys',
    'listScimTokens',
    'listScimUsers',
    'canAdd',
    'checkSeatLimit',
    'countAuditEvents',
    'countMembersWithoutMfa',
    'countPlatformEvents',
    'exportAuditEvents',
    'fetchOrganization',
    'getActiveSlugAlias',
    'getBilling',
    'getEntitlement',
    'getMembership',
    'getOrganization',
    'getOrganizationBySlug',
    'getPlatformOrganization',
    'listAttempts',
    'listDeadLetters',
    'listDomains',
    'listInviteLinks',
    'listJoinRequests',
    'listJoinableOrganizations',
    'listOrganizations',
    'listOrganizationsForUser',
    'listOwnInvitations',
    'listPersonEvents',
    'listPlatformEvents',
    'listPlatformOrganizations',
    'listSinks',
    'platformHealth',
    'retentionStatus',
    'seatsAsOf',
    'selectActiveOrganization',
    'streamAuditEvents',
    'viewInvitation',
    'viewInviteLink',
  ],
  computes: [
    'isApiKey',
    'isImpersonationToken',
    'scopeOfToken',
    'auditActions',
    'generate',
    'generateLogKey',
    'generateSlug',
    'normalizeEmail',
    'ocsfEvent',
    'personalDigest',
  ],
  'guards the host’s own queries': [
    'forGroup',
    'forOrganization',
    'loadGroup',
    'tenantDatabase',
    'unscoped',
  ],
  'is an error': [
    'HostConflict',
    'SchemaMismatch',
    'StatementFailed',
    'StoreUnavailable',
    'StreamEnded',
    'UnknownSchemaVersion',
    'UnscopedQuery',
  ],
  'reads a file and then does `createInvitations`': ['importMembers'],
  'is for events of years, and a history is over within a day': [
    'placeLegalHold',
    'purgeAuditEvents',
    'releaseLegalHold',
  ],
  'needs a log of hashes, which no simulated host keeps': [
    'auditCheckpoint',
    'proveConsistency',
    'proveInclusion',
    'sealOrganization',
  ],
  'sets a sink’s cursor by hand: what was heard is then not told by the trail alone': [
    'pauseSink',
    'replaySink',
    'requeueDeadLetters',
    'resumeSink',
  ],
}

it('the simulation does every operation of the library, but for those with a reason', () => {
  const done = Object.keys({ ...deeds, ...accessDeeds, ...delegationDeeds })
  const accounted = [...done, ...Object.values(LEFT_OUT).flat()]
  const byName = (a: string, b: string) => a.localeCompare(b)
  expect(accounted.toSorted(byName)).toEqual(
    Object.keys({ ...library, ...keys, ...scim, ...roles, ...groups, ...impersonation }).toSorted(
      byName
    )
  )
})
