import { checkOptionNames, namesOf } from './base/names.ts'
import type { SeatgateOptions } from './options.ts'

// The compiler asks for each new option.
const OPTIONS = namesOf<SeatgateOptions>({
  database: true,
  seats: true,
  sessions: true,
  defaultSeatLimit: true,
  users: true,
  verifyPassword: true,
  stepUp: true,
  roles: true,
  ownerRole: true,
  invitationAdminRoles: true,
  memberAdminRoles: true,
  organizationAdminRoles: true,
  slugFormat: true,
  slugLength: true,
  reservedSlugs: true,
  additionalReservedSlugs: true,
  slugAliasDays: true,
  operationRetentionDays: true,
  emailVerification: true,
  invitations: true,
  joining: true,
  hooks: true,
  lifecycle: true,
  hookDeadlineSeconds: true,
  recordIpAddress: true,
  recordUserAgent: true,
  reservedActionPrefixes: true,
  auditMetadataBytes: true,
  auditLogKey: true,
  publishCheckpoint: true,
  retention: true,
  sinks: true,
  queue: true,
  waitUntil: true,
  report: true,
  measure: true,
  now: true,
  newId: true,
  newSecret: true,
  random: true,
})
const SLUG_LENGTH = namesOf<NonNullable<SeatgateOptions['slugLength']>>({ min: true, max: true })

/**
 * An option under a name that nobody reads would be a rule that never holds.
 *
 * @throws {TypeError} naming the option that is not known, and the nearest that is.
 */
export function checkSeatgateOptions(options: SeatgateOptions): void {
  const { slugLength = {} } = options
  checkOptionNames('createSeatgate', options, OPTIONS)
  checkOptionNames('createSeatgate: slugLength', slugLength, SLUG_LENGTH)
}
