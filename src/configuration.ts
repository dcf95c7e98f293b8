/**
 * Checks the options one by one. Each check throws a TypeError that names the error.
 *
 * @module
 */
import { OWN_PREFIXES, type EventRules } from './operations/audit/host-event-rules.ts'
import { auditLog, sealerOf, type AuditLog } from './parts/log/log.ts'
import { HOOKS, type Hooks, type LifecycleHooks } from './engine/model/hooks.ts'
import type { InvitationRules } from './operations/invitations/invitation-config.ts'
import type { JoinRules } from './operations/joining/join-rules.ts'
import type { Roles } from './engine/access/roles.ts'
import type { Metric } from './base/runtime.ts'
import type { Proofs } from './engine/access/step-up.ts'
import type { SeatgateOptions } from './options.ts'
import type { SlugRules } from './engine/model/slug.ts'
import { retentionMistake, type RetentionWindow } from './parts/retention/retention-windows.ts'
import { seatLimit, type SeatLimit } from './engine/seats/limit.ts'
import type { VerificationContext } from './engine/model/exclusions.ts'
import type { SessionStore } from './engine/model/session-store.ts'

export function checkedLimit(value: number | 'unlimited'): SeatLimit {
  const limit = seatLimit(value)
  if (limit.kind === 'unknown') {
    throw wrong('defaultSeatLimit must be "unlimited" or a whole number from 0.')
  }
  return limit
}

export function checkedSessions(sessions: SessionStore | 'none'): SessionStore | null {
  if (sessions === 'none') return null
  if (
    typeof sessions?.updateActiveOrganization !== 'function' ||
    typeof sessions.endActiveOrganization !== 'function'
  ) {
    throw wrong('sessions must be a session store, such as d1Sessions(), or "none".')
  }
  return sessions
}

export function checkedProofs({ verifyPassword = null, stepUp = null }: Partial<Proofs>): Proofs {
  for (const [name, check] of Object.entries({ verifyPassword, stepUp })) {
    if (check !== null && typeof check !== 'function') throw wrong(`${name} must be a function.`)
  }
  return { verifyPassword, stepUp }
}

/** The three default roles are plain strings: only roles that the host lists are a type. */
export function checkedRoles<Role extends string>(options: SeatgateOptions<Role>): Roles<Role> {
  const all =
    options.roles ?? (['owner', 'admin', 'member'] as readonly string[] as readonly Role[])
  if (options.roles && !(options.ownerRole && options.invitationAdminRoles)) {
    throw wrong('roles needs ownerRole and invitationAdminRoles beside it.')
  }
  const owner = options.ownerRole ?? ('owner' as Role)
  const invitationAdmins =
    options.invitationAdminRoles ?? (['owner', 'admin'] as readonly string[] as readonly Role[])
  const memberAdmins = options.memberAdminRoles ?? invitationAdmins
  const organizationAdmins = options.organizationAdminRoles ?? invitationAdmins
  const known = (name: string, roles: readonly Role[]) => {
    const stranger = roles.find((role) => !all.includes(role))
    if (stranger !== undefined) throw wrong(`${name} has "${stranger}", which is not in roles.`)
    if (roles.length === 0) throw wrong(`${name} must not be empty.`)
  }
  known('ownerRole', [owner])
  known('invitationAdminRoles', invitationAdmins)
  known('memberAdminRoles', memberAdmins)
  known('organizationAdminRoles', organizationAdmins)
  return { all, owner, invitationAdmins, memberAdmins, organizationAdmins }
}

const RESERVED_SLUGS = (
  'admin api app auth billing blog cdn dashboard docs help login logout new oauth register ' +
  'settings signup static status support system webhooks www'
).split(' ')

export function checkedSlugs(options: SeatgateOptions): SlugRules {
  const format: unknown = options.slugFormat ?? /^[a-z][a-z0-9-]*[a-z0-9]$/
  if (!(format instanceof RegExp)) throw wrong('slugFormat must be a regular expression.')
  // With these flags an expression keeps its position, and the next slug would be matched from there.
  if (format.global || format.sticky) throw wrong('slugFormat must not be global or sticky.')
  const { min, max } = options.slugLength ?? { min: 3, max: 63 }
  if (!Number.isInteger(min) || !Number.isInteger(max) || min <= 0 || max < min) {
    throw wrong('slugLength must be whole numbers, min above 0 and max not below min.')
  }
  const aliasDays = options.slugAliasDays ?? 7
  if (!Number.isInteger(aliasDays) || aliasDays < 0) {
    throw wrong('slugAliasDays must be a whole number from 0.')
  }
  const reserved = [
    ...(options.reservedSlugs ?? RESERVED_SLUGS),
    ...(options.additionalReservedSlugs ?? []),
  ]
  if (!reserved.every((word) => typeof word === 'string')) {
    throw wrong('reservedSlugs and additionalReservedSlugs must be lists of texts.')
  }
  return { format, shortest: min, longest: max, reserved: new Set(reserved), aliasDays }
}

/** Checks that `invitations` is a part, and not its options. */
export function checkedInvitations(part: InvitationRules | null): InvitationRules | null {
  if (part !== null && typeof part.sendInvitation !== 'function') {
    throw wrong('invitations must be made by invitations().')
  }
  return part
}

export function checkedVerification(
  options: SeatgateOptions
): VerificationContext['emailVerification'] {
  const { emailVerification = null, invitations } = options
  if (emailVerification === null) return null
  if (emailVerification === 'always') {
    // A user who signs up with the inviter's token has not verified the address.
    if (invitations?.registerUser)
      throw wrong('registerUser needs emailVerification with a column, not "always".')
    return emailVerification
  }
  if (!emailVerification.column || typeof emailVerification.markVerified !== 'function') {
    throw wrong('emailVerification must be "always", or have column and markVerified.')
  }
  return emailVerification
}

export function checkedOperationRetention({
  operationRetentionDays: days = 90,
}: SeatgateOptions): number {
  if (days !== Infinity && !(Number.isInteger(days) && days >= 1)) {
    throw wrong('operationRetentionDays must be a whole number from 1, or Infinity.')
  }
  return days
}

/** Joining by domain requires verified addresses. */
export function checkedJoining(options: SeatgateOptions): JoinRules | null {
  const { joining = null } = options
  if (joining === null) return null
  if (typeof joining.admitWaiting !== 'function')
    throw wrong('joining must be made by joinRules().')
  if (!options.users || !options.emailVerification) {
    throw wrong('joining needs users and emailVerification beside it.')
  }
  const { all, owner } = checkedRoles(options)
  if (!all.includes(joining.role) || joining.role === owner) {
    throw wrong(`joining.role is "${joining.role}": it must be in roles, and not the owner's.`)
  }
  return joining
}

export function checkedHooks(hooks: Hooks): Hooks {
  return checkedFunctions('hooks', hooks, false)
}

export function checkedLifecycle(lifecycle: LifecycleHooks): LifecycleHooks {
  return checkedFunctions('lifecycle', lifecycle, true)
}

export function checkedSeconds(name: string, seconds: number): number {
  if (!(Number.isFinite(seconds) && seconds > 0)) {
    throw wrong(`${name} must be a positive number of seconds.`)
  }
  return seconds
}

const LARGEST_METADATA = 8192
const RESERVED_ACTIONS = 'auth. session. mfa. oauth. api. account. sigra.'.split(' ')

export function checkedEventRules(options: SeatgateOptions): EventRules {
  const { reservedActionPrefixes = RESERVED_ACTIONS, auditMetadataBytes = LARGEST_METADATA } =
    options
  if (!reservedActionPrefixes.every((prefix) => /^[a-z][a-z0-9_.]*\.$/.test(prefix))) {
    throw wrong('reservedActionPrefixes must be beginnings of actions that end in a dot.')
  }
  if (!(Number.isInteger(auditMetadataBytes) && auditMetadataBytes >= 2)) {
    throw wrong('auditMetadataBytes must be a whole number from 2.')
  }
  if (auditMetadataBytes > LARGEST_METADATA) {
    throw wrong(`auditMetadataBytes must be at most ${LARGEST_METADATA}.`)
  }
  return {
    reservedPrefixes: [...OWN_PREFIXES, ...reservedActionPrefixes],
    metadataBytes: auditMetadataBytes,
  }
}

export function checkedLog(options: SeatgateOptions): AuditLog | null {
  const { auditLogKey, publishCheckpoint, seats } = options
  if (auditLogKey === undefined) {
    if (publishCheckpoint) throw wrong('publishCheckpoint needs auditLogKey beside it.')
    return null
  }
  if (!auditLogKey.startsWith('PRIVATE+KEY+')) {
    throw wrong('auditLogKey must be the private key of generateLogKey().')
  }
  return auditLog(auditLogKey, publishCheckpoint ?? null, sealerOf(seats))
}

/** Retention only purges events that a checkpoint covers, so it requires a log. */
export function checkedRetention(options: SeatgateOptions): readonly RetentionWindow[] {
  const { retention = [], auditLogKey } = options
  const mistake = retentionMistake(retention)
  if (mistake !== null) throw wrong(`retention ${mistake}`)
  if (retention.length > 0 && auditLogKey === undefined) {
    throw wrong('retention needs auditLogKey beside it.')
  }
  return retention
}

/** Wraps the metrics function so that an error in it is ignored. */
export function quietly(measure: ((metric: Metric) => void) | undefined): (metric: Metric) => void {
  return (metric) => {
    try {
      measure?.(metric)
    } catch {
      // A metric must not make an operation fail.
    }
  }
}

// A misspelt hook would be a policy that is never enforced.
function checkedFunctions<T extends object>(option: string, hooks: T, inBatch: boolean): T {
  const known: Readonly<Record<string, { readonly inBatch: boolean }>> = HOOKS
  for (const [name, hook] of Object.entries(hooks)) {
    if (known[name]?.inBatch !== inBatch) throw wrong(`${option} has no "${name}".`)
    if (hook !== undefined && hook !== null && typeof hook !== 'function') {
      throw wrong(`${option}.${name} must be a function.`)
    }
  }
  return hooks
}

function wrong(what: string): TypeError {
  return new TypeError(`createSeatgate: ${what}`)
}
