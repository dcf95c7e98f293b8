import { checkOptionNames, namesOf } from './base/names.ts'
import type { SeatgateOptions } from './options.ts'

// The compiler requires each new option here.
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
 * Checks the names of the options: a misspelt option would be a rule that never holds.
 *
 * @throws {TypeError} if an option is unknown. The message names it and the nearest known one.
 */
export function checkSeatgateOptions(options: SeatgateOptions): void {
  const { slugLength = {} } = options
  checkOptionNames('createSeatgate', options, OPTIONS)
  checkOptionNames('createSeatgate: slugLength', slugLength, SLUG_LENGTH)
}
