import { wrong } from './option-group.ts'

// The options that stood at the top level before they had groups and parts, by their place now: under the
// same name, or after a colon under another one.
const MOVED: Readonly<Record<string, string>> = {
  'identity.': 'users verifyPassword stepUp emailVerification',
  'roles.':
    'ownerRole:owner invitationAdminRoles:invitationAdmins memberAdminRoles:memberAdmins ' +
    'organizationAdminRoles:organizationAdmins',
  'slugs.':
    'slugFormat:format slugLength:length reservedSlugs:reserved ' +
    'additionalReservedSlugs:additionalReserved slugAliasDays:aliasDays',
  'hooks.': 'hookDeadlineSeconds:deadlineSeconds lifecycle:onDelete,…',
  'idempotency.': 'operationRetentionDays:retentionDays',
  'audit.':
    'recordIpAddress recordUserAgent reservedActionPrefixes:reservedPrefixes ' +
    'auditMetadataBytes:metadataBytes',
  'in forwarding(): ': 'sinks',
  'in auditLog(): ': 'auditLogKey:key publishCheckpoint',
  'in retention(): ': 'retention:windows',
  'runtime.': 'queue waitUntil report measure now newId newSecret random',
  'in d1Seats() or ledgerSeats(): ': 'defaultSeatLimit:defaultLimit',
  'in invitations(): ':
    'secret mailer registerUser invitationUrl:url invitationTtlSeconds:ttlSeconds ' +
    'invitationsHoldSeats:holdSeats invitationsOutliveInviter:outliveInviter ' +
    'invitationRetentionDays:retentionDays invitationLimits:limits',
}

/**
 * Refuses an option under its former name.
 *
 * @throws {TypeError} saying where it is now.
 */
export function refuseMoved(options: object): void {
  for (const [place, names] of Object.entries(MOVED)) {
    for (const name of names.split(' ')) {
      const [former = '', now = former] = name.split(':')
      if (former in options) throw wrong(`"${former}" is now ${place}${now}.`)
    }
  }
  if ('roles' in options && Array.isArray(options.roles)) throw wrong('"roles" is now roles.all.')
}
