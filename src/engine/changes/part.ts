/**
 * A part: a value that the host passes to `createSeatgate`. The library runs its consumers, listeners and
 * sweeps without knowing its name, so a Worker that does not pass it does not load it.
 *
 * @module
 */
import type { Report, Runtime, WakeUpQueue } from '../../base/runtime.ts'
import type { DatabaseContext } from '../../database/database.ts'
import type { UserTable } from '../../database/database.ts'
import type { Roles } from '../access/roles.ts'
import type { ConsumerTraits, TrailConsumer } from '../audit/consumers.ts'
import type { VerificationContext } from '../model/exclusions.ts'
import type { RoleHolderContext } from '../model/role-holders.ts'
import type { ChangeContext, Follower, Listener } from './change-context.ts'

/** Work that the cron handler repeats. */
export interface Sweep {
  /** Names it in the report of what the next sweep continues with. */
  readonly name: string
  /** Its share of the statements. It leaves unused ones to the sweeps after it. */
  readonly statements: number
  /** Its place among the sweeps: those that may have much to do come late. */
  turn(context: Pick<Runtime, 'queue'>): number
  /** A method, since the context also has what the sweep's own part put into it. */
  run(context: ChangeContext): Promise<void>
  /** Is called when the cron handler is made. */
  scheduled?(context: DatabaseContext): void
}

/** The configuration that a part is passed to, when `createSeatgate` checks it. */
export interface PartContext extends VerificationContext {
  readonly roles: Roles
  readonly users: UserTable | null
  readonly queue: WakeUpQueue | null
  readonly report: (report: Report) => void
  readonly log: object | null
}

/** The consumers, listeners and sweeps of a part. */
export interface Brought {
  /** Readers of the trails. */
  readonly consumers?: readonly TrailConsumer[]
  /** Readers that are missing for now: retention waits for them. */
  readonly absentConsumers?: readonly ConsumerTraits[]
  /** Reactions to commits. */
  readonly listeners?: readonly Listener[]
  /** Work for the cron handler. */
  readonly sweeps?: readonly Sweep[]
  /** Statements that follow events in their batch. */
  readonly followers?: readonly Follower[]
  /** Rows of the part that have the name of a role. */
  readonly roleHolders?: RoleHolderContext['roleHolders']
  /** The members who have made keys or links, which end with a right of theirs. */
  readonly creators?: RoleHolderContext['creators']
}

/** A part of a configuration. `Name` is that of its factory. */
export interface Part<Name extends PartName = PartName> extends Brought {
  readonly part: Name
  /**
   * Checks that the part fits the configuration it is passed to.
   *
   * @throws {TypeError} naming what is missing.
   */
  check?(context: PartContext): void
}

/** How each part is passed. */
const PASSED = {
  invitations: 'invitations: invitations({ … })',
  joining: 'joining: joinRules({ … })',
  limits: 'identity: { limits: userLimits({ … }) }',
  billing: 'billing: billing({ … })',
  scim: 'scim: scim({ … })',
  keys: 'keys: apiKeys({ … })',
  groups: 'groups: groups({ … })',
  impersonation: 'impersonation: impersonation({ … })',
  ownRoles: 'ownRoles: ownRoles({ … })',
  forwarding: 'audit: { forwarding: forwarding({ … }) }',
  log: 'audit: { log: auditLog({ … }) }',
  retention: 'audit: { retention: retention([ … ]) }',
} as const

/** The names of the parts. */
export type PartName = keyof typeof PASSED

/**
 * Returns a part of a configuration. The types exclude a missing one; a caller without types can pass a
 * configuration without it.
 *
 * @throws {TypeError} saying which part is missing and how to pass it.
 */
export function partOf<Name extends PartName, S extends { readonly [N in Name]: object | null }>(
  context: S,
  name: Name
): NonNullable<S[Name]> {
  const part = context[name]
  if (part) return part
  throw new TypeError(
    `This needs the part ${name}, which is not configured: createSeatgate({ ${PASSED[name]} }).`
  )
}

/** Creates the test of whether a configuration has the part that a context needs. */
export function has<Context extends object>(name: keyof Context & PartName) {
  return <S extends object>(context: S): context is S & Context =>
    Boolean((context as Partial<Record<PartName, unknown>>)[name])
}
