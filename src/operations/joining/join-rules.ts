import type { DatabaseContext, Statement } from '../../database/database.ts'
import type { WakeUpQueue } from '../../base/runtime.ts'
import type { DomainChallenge } from '../../engine/model/domain.ts'
import type { VerificationContext } from '../../engine/model/verified-address.ts'
import type { LossContext } from '../../engine/model/lost-invitations.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { Listener } from '../../engine/changes/listeners.ts'

/** What is done when there is no seat: `refuse`, or let them `wait` in line for the next one. */
export type WhenFull = 'refuse' | 'wait'

/** Looks whether the record is there. Throws if that cannot be said now. */
export type VerifyDomain = (challenge: DomainChallenge) => boolean | Promise<boolean>

/** The part that `joinRules()` makes. */
export interface JoinRules {
  /** What those who come in become, unless whoever lets them in says otherwise. */
  readonly role: string
  readonly whenFull: { readonly domain: WhenFull; readonly request: WhenFull }
  readonly verifyDomain: VerifyDomain
  readonly publicDomains: ReadonlySet<string>
  /** How many days a verified domain may be without its record before `auto` becomes `request`. */
  readonly recordGraceDays: number
  /** Lets in who is first in line, for as long as there are seats. */
  readonly admitWaiting: (context: JoiningContext, organizationId: string) => Promise<void>
  readonly listeners: readonly Listener[]
  // The sweep calls these through the part, so that a Worker without joining does not load them.
  /** Looks up the DNS records of verified domains again. */
  readonly sweepDomains: (context: JoiningContext) => Promise<void>
  /** Admits from every waitlist. */
  readonly sweepLines: (context: JoiningContext) => Promise<void>
  /** Builds the statement that deletes settled requests. */
  readonly purge: (context: DatabaseContext, now: Date) => Statement
}

/** What an operation on joining needs. */
export type JoiningContext = ChangeContext &
  LossContext &
  VerificationContext & {
    readonly joining: JoinRules
    /** Admits the next ones in an invocation of their own; null without a queue. */
    readonly queue: WakeUpQueue | null
  }

/** Whether anybody is let wait. Who waits nevertheless, from before, is seen to by the sweep. */
export function keepsLine({ whenFull }: JoinRules): boolean {
  return whenFull.domain === 'wait' || whenFull.request === 'wait'
}

/**
 * Returns the rules of joining. The type excludes null; a caller without types can pass it.
 *
 * @throws {TypeError} if the host has configured none.
 */
export function configured({ joining }: { readonly joining: JoinRules | null }): JoinRules {
  if (joining === null) throw new TypeError('Joining needs joining in createSeatgate: joinRules().')
  return joining
}
