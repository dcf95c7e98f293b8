import { and, eq } from 'drizzle-orm'
import { checkOptionNames, namesOf } from '../../base/names.ts'
import { impersonations } from '../../database/schema/impersonation-tables.ts'
import type { ChangeContext, Follower } from '../../engine/changes/change-context.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import type { Part } from '../../engine/changes/part.ts'
import { purgeImpersonations } from './running.ts'

/** Options of {@link impersonation}. */
export interface ImpersonationOptions {
  /**
   * Returns whether a user is an operator, who cannot be impersonated. Any value except `false` refuses; an
   * error or a timeout refuses with `unavailable`.
   */
  readonly isOperator: (userId: string) => boolean | Promise<boolean>
  /** The longest impersonation in minutes, 1 to 60. Default 60. */
  readonly mostMinutes?: number
}

/** The part that {@link impersonation} makes. */
export interface ImpersonationPart extends Part<'impersonation'> {
  readonly isOperator: ImpersonationOptions['isOperator']
  readonly mostMinutes: number
  /** Builds the deletion of impersonations that have expired. */
  readonly purge: (context: DatabaseContext, now: Date) => Statement
}

/** The context of an operation on impersonations. */
export interface ImpersonationContext extends ChangeContext {
  readonly impersonation: ImpersonationPart
}

const OPTIONS = namesOf<ImpersonationOptions>({ isOperator: true, mostMinutes: true })
const MOST_MINUTES = 60

/**
 * Lets operators act as a user of one organization, with a reason, for a limited time, and recorded in the
 * trail of the organization.
 *
 * @throws {TypeError} if an option is invalid.
 *
 * @example
 * ```ts
 * import { authenticateImpersonation, impersonation, impersonationRoutes } from 'seatgate/impersonation'
 *
 * const seatgate = createSeatgate({
 *   …,
 *   impersonation: impersonation({ isOperator: async (userId) => staff.has(userId) }),
 * })
 * const acting = authenticateImpersonation(seatgate, authenticate)
 * app.route('/', impersonationRoutes(seatgate, { authenticate: acting }))
 * ```
 */
export function impersonation(options: ImpersonationOptions): ImpersonationPart {
  checkOptionNames('impersonation', options, OPTIONS)
  const { isOperator, mostMinutes = MOST_MINUTES } = options
  if (typeof isOperator !== 'function') {
    throw new TypeError('impersonation: isOperator must be a function.')
  }
  if (!Number.isInteger(mostMinutes) || mostMinutes < 1 || mostMinutes > MOST_MINUTES) {
    throw new TypeError(
      `impersonation: mostMinutes must be a whole number from 1 to ${MOST_MINUTES}.`
    )
  }
  return {
    part: 'impersonation',
    isOperator,
    mostMinutes,
    purge: purgeImpersonations,
    followers: [ending],
  }
}

// Ends with the organization, or with the membership of the user, in the same batch.
const ending: Follower = ({ db }, _eventContext, events) =>
  events.flatMap(({ action, organizationId, target }) => {
    const there = eq(impersonations.organizationId, organizationId)
    switch (action) {
      case 'organization.delete':
        return [db.delete(impersonations).where(there)]
      case 'organization.member_remove':
      case 'organization.member_suspend':
        return [
          db.delete(impersonations).where(and(there, eq(impersonations.userId, target?.id ?? ''))),
        ]
      default:
        return []
    }
  })
