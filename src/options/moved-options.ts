import { wrong } from './option-group.ts'

// The options that stood at the top level before they had groups and parts: under the same name, or
// under another one.
const SAME_NAME = {
  'identity.': 'users verifyPassword stepUp emailVerification',
  'audit.': 'recordIpAddress recordUserAgent',
  'runtime.': 'queue waitUntil report measure now newId newSecret random',
  'an option of invitations(): ': 'secret mailer registerUser',
}
const OTHER_NAME: Readonly<Record<string, string>> = {
  defaultSeatLimit: 'defaultLimit of d1Seats() or ledgerSeats()',
  ownerRole: 'roles.owner',
  invitationAdminRoles: 'roles.invitationAdmins',
  memberAdminRoles: 'roles.memberAdmins',
  organizationAdminRoles: 'roles.organizationAdmins',
  slugFormat: 'slugs.format',
  slugLength: 'slugs.length',
  reservedSlugs: 'slugs.reserved',
  additionalReservedSlugs: 'slugs.additionalReserved',
  slugAliasDays: 'slugs.aliasDays',
  operationRetentionDays: 'idempotency.retentionDays',
  lifecycle: 'in hooks',
  hookDeadlineSeconds: 'hooks.deadlineSeconds',
  reservedActionPrefixes: 'audit.reservedPrefixes',
  auditMetadataBytes: 'audit.metadataBytes',
  sinks: 'audit.forwarding: forwarding({ sinks })',
  auditLogKey: 'audit.log: auditLog({ key })',
  publishCheckpoint: 'audit.log: auditLog({ publishCheckpoint })',
  retention: 'audit.retention: retention(windows)',
  invitationUrl: 'invitations({ url })',
  invitationTtlSeconds: 'invitations({ ttlSeconds })',
  invitationsHoldSeats: 'invitations({ holdSeats })',
  invitationsOutliveInviter: 'invitations({ outliveInviter })',
  invitationRetentionDays: 'invitations({ retentionDays })',
  invitationLimits: 'invitations({ limits })',
}

/**
 * Refuses an option under its former name.
 *
 * @throws {TypeError} saying where it is now.
 */
export function refuseMoved(options: object): void {
  for (const name of Object.keys(options)) {
    const [place] = Object.entries(SAME_NAME).find(([, all]) => all.split(' ').includes(name)) ?? []
    const now = place === undefined ? own(OTHER_NAME, name) : place + name
    if (now !== undefined) throw wrong(`"${name}" is now ${now}.`)
  }
  if ('roles' in options && Array.isArray(options.roles)) throw wrong('"roles" is now roles.all.')
}

function own(names: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(names, name) ? names[name] : undefined
}
