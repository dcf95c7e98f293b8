import {
  type ArchiveBucket,
  auditLog,
  createSeatgate,
  forwarding,
  invitations,
  permissions,
  retention,
  seatLimit,
  seatTypes,
  type AuditLog,
  type AuditLogOptions,
  type AuditOptions,
  type Forwarding,
  type HookOptions,
  type Hooks,
  type IdentityOptions,
  type InvitationOptions,
  type InvitationRules,
  type JoinRules,
  type LifecycleHooks,
  type PermissionPartOptions,
  type Retention,
  type RetentionWindow,
  type RoleOptions,
  type RuntimeOptions,
  type Seatgate,
  type SeatTypeOptions,
  type SeatgateOptions,
  type Sink,
  type SlugRuleOptions,
} from '../../src/index.ts'

/**
 * The options of `createSeatgate` under flat names: the vocabulary of the tests. This file alone knows
 * to which group or part each belongs.
 */
export interface FlatOptions
  extends
    Pick<
      SeatgateOptions,
      | 'database'
      | 'seats'
      | 'sessions'
      | 'joining'
      | 'scim'
      | 'keys'
      | 'groups'
      | 'impersonation'
      | 'ownRoles'
      | 'billing'
    >,
    IdentityOptions,
    RuntimeOptions,
    Pick<AuditOptions, 'recordIpAddress' | 'recordUserAgent' | 'cursorSecret'> {
  readonly defaultSeatLimit?: number | 'unlimited'

  readonly roles?: readonly string[]
  readonly ownerRole?: string
  readonly invitationAdminRoles?: readonly string[]
  readonly memberAdminRoles?: readonly string[]
  readonly organizationAdminRoles?: readonly string[]
  readonly seatlessRoles?: readonly string[]
  readonly seatTypes?: Readonly<Record<string, SeatTypeOptions>>
  readonly permissions?: PermissionPartOptions['resources']
  readonly grants?: PermissionPartOptions['grants']

  readonly slugFormat?: RegExp
  readonly slugLength?: SlugRuleOptions['length']
  readonly reservedSlugs?: readonly string[]
  readonly additionalReservedSlugs?: readonly string[]
  readonly slugAliasDays?: number

  readonly secret?: string
  readonly mailer?: InvitationOptions['mailer']
  readonly invitationUrl?: InvitationOptions['url']
  readonly invitationTtlSeconds?: number
  readonly invitationsHoldSeats?: boolean
  readonly invitationsOutliveInviter?: boolean
  readonly invitationRetentionDays?: number
  readonly invitationLimits?: InvitationOptions['limits']
  readonly registerUser?: InvitationOptions['registerUser']

  readonly hooks?: Hooks
  readonly lifecycle?: LifecycleHooks
  readonly hookDeadlineSeconds?: number
  readonly operationRetentionDays?: number

  readonly reservedActionPrefixes?: readonly string[]
  readonly auditMetadataBytes?: number
  readonly sinks?: readonly Sink[]
  readonly auditLogKey?: string
  readonly publishCheckpoint?: AuditLogOptions['publishCheckpoint']
  readonly sealer?: AuditLogOptions['sealer']
  readonly retention?: readonly RetentionWindow[]
  readonly archive?: ArchiveBucket
}

/** A configuration that has every part, for the compiler: a test knows which it has. */
export type FullSeatgate = Seatgate<
  string,
  {
    readonly invitations: InvitationRules
    readonly joining: JoinRules
    readonly scim: Seatgate['scim']
    readonly keys: Seatgate['keys']
    readonly groups: Seatgate['groups']
    readonly impersonation: Seatgate['impersonation']
    readonly ownRoles: Seatgate['ownRoles']
    readonly forwarding: Forwarding
    readonly log: AuditLog
    readonly retention: Retention
  }
>

/**
 * Groups flat options. Without a secret there are no invitations, without a key there is no log;
 * forwarding, of no sinks, and retention, of no windows, are there.
 */
function grouped(flat: FlatOptions): SeatgateOptions {
  const { impersonation } = flat
  const { database, seats, sessions, joining, billing, defaultSeatLimit } = flat
  const { scim, keys, groups, ownRoles } = flat
  return {
    database,
    seats: defaultSeatLimit === undefined ? seats : limited(seats, defaultSeatLimit),
    sessions,
    ...(joining !== undefined && { joining }),
    ...(scim !== undefined && { scim }),
    ...(keys !== undefined && { keys }),
    ...(groups !== undefined && { groups }),
    ...(impersonation !== undefined && { impersonation }),
    ...(ownRoles !== undefined && { ownRoles }),
    ...(billing !== undefined && { billing }),
    identity: given({
      users: flat.users,
      verifyPassword: flat.verifyPassword,
      stepUp: flat.stepUp,
      emailVerification: flat.emailVerification,
      limits: flat.limits,
    }),
    roles: given<RoleOptions>({
      all: flat.roles,
      owner: flat.ownerRole,
      invitationAdmins: flat.invitationAdminRoles,
      memberAdmins: flat.memberAdminRoles,
      organizationAdmins: flat.organizationAdminRoles,
      seatless: flat.seatlessRoles,
      seatTypes: flat.seatTypes && seatTypes(flat.seatTypes),
      permissions:
        flat.grants && permissions(given({ resources: flat.permissions, grants: flat.grants })),
    }),
    slugs: given({
      format: flat.slugFormat,
      length: flat.slugLength,
      reserved: flat.reservedSlugs,
      additionalReserved: flat.additionalReservedSlugs,
      aliasDays: flat.slugAliasDays,
    }),
    ...(flat.secret !== undefined && { invitations: invitationsOf(flat, flat.secret) }),
    hooks: hooksOf(flat),
    idempotency: given({ retentionDays: flat.operationRetentionDays }),
    audit: {
      forwarding: forwarding({ sinks: flat.sinks ?? [] }),
      log: flat.auditLogKey === undefined ? null : logOf(flat, flat.auditLogKey),
      retention: retention(flat.retention ?? [], given({ archive: flat.archive })),
      ...given({
        cursorSecret: flat.cursorSecret ?? flat.secret,
        recordIpAddress: flat.recordIpAddress,
        recordUserAgent: flat.recordUserAgent,
        reservedPrefixes: flat.reservedActionPrefixes,
        metadataBytes: flat.auditMetadataBytes,
      }),
    },
    runtime: given({
      queue: flat.queue,
      waitUntil: flat.waitUntil,
      report: flat.report,
      measure: flat.measure,
      trace: flat.trace,
      now: flat.now,
      newId: flat.newId,
      newSecret: flat.newSecret,
      random: flat.random,
    }),
  }
}

/** `createSeatgate` for flat options. */
export function createFlat(options: FlatOptions): FullSeatgate {
  return createSeatgate(grouped(options)) as FullSeatgate
}

/** A configuration with other sinks, or with a log that publishes otherwise. */
export function refitted(
  seatgate: FullSeatgate,
  {
    sinks = seatgate.forwarding.sinks,
    publish,
  }: {
    readonly sinks?: readonly Sink[]
    readonly publish?: null
  }
): FullSeatgate {
  const part = forwarding({ sinks })
  const own = seatgate.consumers.filter(({ id }) => id === 'seat_ledger')
  const log = seatgate.log && {
    ...seatgate.log,
    ...(publish === null && {
      publish,
      consumers: seatgate.log.consumers!.map((each) => ({ ...each, progress: 'sealed' as const })),
    }),
  }
  const consumers = [...own, ...part.consumers!, ...(log?.consumers ?? [])]
  return { ...seatgate, forwarding: part, log, consumers }
}

// What is undefined is not given.
function given<T extends object>(options: { readonly [K in keyof T]: T[K] | undefined }): T {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as T
}

function limited(seats: FlatOptions['seats'], limit: number | 'unlimited'): FlatOptions['seats'] {
  return { ...seats, defaultLimit: seatLimit(limit) }
}

function hooksOf({ hooks = {}, lifecycle, hookDeadlineSeconds }: FlatOptions): HookOptions {
  if (lifecycle === undefined && hookDeadlineSeconds === undefined) return hooks
  // The hooks stay what they are: a test may hand over a proxy.
  return Object.assign(
    Object.create(hooks) as Hooks,
    lifecycle,
    given({ deadlineSeconds: hookDeadlineSeconds })
  )
}

function invitationsOf(flat: FlatOptions, secret: string): InvitationRules {
  return invitations({
    secret,
    ...given({
      mailer: flat.mailer,
      url: flat.invitationUrl,
      ttlSeconds: flat.invitationTtlSeconds,
      holdSeats: flat.invitationsHoldSeats,
      outliveInviter: flat.invitationsOutliveInviter,
      retentionDays: flat.invitationRetentionDays,
      limits: flat.invitationLimits,
      registerUser: flat.registerUser,
    }),
  })
}

function logOf({ publishCheckpoint, sealer }: FlatOptions, key: string): AuditLog {
  return auditLog({ key, ...given({ publishCheckpoint, sealer }) })
}
