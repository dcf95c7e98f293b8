import { partOf, type Part } from '../../engine/changes/part.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import type { DomainChallenge } from '../../engine/model/join-request.ts'
import type { VerificationContext } from '../../engine/model/exclusions.ts'
import type { LossContext } from '../../engine/model/leave.ts'
import type { JoiningMembers } from '../../engine/model/joining-members.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'

/** The behaviour without a free seat: `refuse`, or `wait` on the waitlist. */
export type WhenFull = 'refuse' | 'wait'

/** Looks the record up and returns whether it is there. Throws if the lookup fails. */
export type VerifyDomain = (challenge: DomainChallenge) => boolean | Promise<boolean>

/** The rules of invite links. */
export interface LinkRules {
  readonly whenFull: WhenFull
}

/** The part that `joinRules()` makes. */
export interface JoinRules extends Part<'joining'> {
  /** The role of new members, unless an approval gives another one. */
  readonly role: string
  readonly whenFull: { readonly domain: WhenFull; readonly request: WhenFull }
  readonly verifyDomain: VerifyDomain
  /** The rules of invite links; null without them. */
  readonly links: LinkRules | null
  readonly publicDomains: ReadonlySet<string>
  /** How many days a verified domain may be without its record before `auto` becomes `request`. */
  readonly recordGraceDays: number
  /** Admits the users of the waitlist in order, while there are seats. */
  readonly admitWaiting: (context: JoiningContext, organizationId: string) => Promise<void>
  /** The work of the part when members come and go. */
  readonly members: JoiningMembers
  // The sweep calls this through the part, so that a Worker without joining does not load it.
  /** Builds the statements that delete settled requests and expired links. */
  readonly purge: (context: DatabaseContext, now: Date) => readonly Statement[]
}

/** The context of an operation on joining. */
export type JoiningContext = ChangeContext &
  LossContext &
  VerificationContext & {
    readonly joining: JoinRules
  }

/**
 * Whether users can be put on the waitlist. The sweep serves those who wait from an earlier
 * configuration.
 */
export function keepsWaitlist({ whenFull, links }: JoinRules): boolean {
  return [whenFull.domain, whenFull.request, links?.whenFull].includes('wait')
}

/**
 * Returns the rules of joining.
 *
 * @throws {TypeError} if the part is missing.
 */
export function configured(context: { readonly joining: JoinRules | null }): JoinRules {
  return partOf(context, 'joining')
}
