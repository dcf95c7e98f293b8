import { and, eq, gt, inArray, lte, or, sql, type SQL } from 'drizzle-orm'
import type { Runtime } from '../../base/runtime.ts'
import type { Database, DatabaseContext, Statement } from '../../database/database.ts'
import {
  impersonations,
  type ImpersonationRow,
} from '../../database/schema/impersonation-tables.ts'
import type { PrincipalQuery } from '../../engine/access/principal.ts'
import { hashOf } from './token.ts'

/** An impersonation that has not ended. Timestamps are ISO 8601 UTC. */
export interface RunningImpersonation {
  /** The id of the event of its start, and the `causeEventId` of each event of its caller. */
  readonly id: string
  readonly organizationId: string
  /** The user as whom the operator acts. */
  readonly userId: string
  readonly operatorId: string
  readonly reason: string
  /** When it ends, unless it is ended before. */
  readonly expiresAt: string
  readonly createdAt: string
}

/** A new impersonation with its token. `token` is null if a repeat returns the stored result. */
export interface ImpersonationWithToken extends RunningImpersonation {
  readonly token: string | null
}

/** The impersonations of an operator, or those in an organization. */
export interface RunningImpersonations {
  readonly data: readonly RunningImpersonation[]
}

/** Returns an impersonation as lists have it. */
export function impersonationView(row: ImpersonationRow): RunningImpersonation {
  const { id, organizationId, userId, operatorId, reason, expiresAt, createdAt } = row
  return {
    id,
    organizationId,
    userId,
    operatorId,
    reason,
    expiresAt: expiresAt.toISOString(),
    createdAt: createdAt.toISOString(),
  }
}

/** Selects those that have not ended, the oldest first. */
export function runningOf(db: Database, now: Date, ...conditions: readonly (SQL | undefined)[]) {
  return db
    .select()
    .from(impersonations)
    .where(and(...conditions, gt(impersonations.expiresAt, now)))
    .orderBy(impersonations.createdAt, impersonations.id)
}

/** Builds the deletion of the expired impersonations of an organization and of an operator. */
export function expiredOf(
  { db }: DatabaseContext,
  { organizationId, operatorId }: Pick<ImpersonationRow, 'organizationId' | 'operatorId'>,
  now: Date
): Statement {
  const own = or(
    eq(impersonations.organizationId, organizationId),
    eq(impersonations.operatorId, operatorId)
  )
  return db.delete(impersonations).where(and(own, lte(impersonations.expiresAt, now)))
}

const ROWS_PER_SWEEP = 1000

/** Builds the deletion of at most 1,000 expired impersonations, the oldest first. The trail keeps their ends. */
export function purgeImpersonations({ db }: DatabaseContext, now: Date): Statement {
  const expired = db
    .select({ id: impersonations.id })
    .from(impersonations)
    .where(lte(impersonations.expiresAt, now))
    .orderBy(impersonations.expiresAt, impersonations.id)
    .limit(ROWS_PER_SWEEP)
  return db.delete(impersonations).where(inArray(impersonations.id, expired))
}

/** The context in which the token of an impersonation is looked up. */
export type ImpersonationLookup = DatabaseContext & Pick<Runtime, 'now'>

/**
 * Returns the caller of a token: the user, with the operator who acts as them. The token is looked up in the
 * round trip of the operation, and again in the batch of a change. `ended` is called if the impersonation has ended.
 */
export function callerOfToken(
  { db, now }: ImpersonationLookup,
  token: string,
  ended: () => null = () => null
): PrincipalQuery {
  const { id, organizationId, userId, operatorId, tokenHash, expiresAt } = impersonations
  const hash = hashOf(token)
  // Compares with the time of each use: an operation may outlive the impersonation.
  const valid = () => sql`${tokenHash} = ${hash} and ${expiresAt} > ${now().getTime()}`
  return {
    userId: sql<string | null>`(select ${userId} from ${impersonations} where ${valid()})`,
    organizationId: sql<string | null>`(select ${organizationId}
      from ${impersonations} where ${valid()})`,
    get holds() {
      return sql`exists (select 1 from ${impersonations} where ${valid()})`
    },
    get statement() {
      return db
        .select({ id, organizationId, userId, operatorId })
        .from(impersonations)
        .where(valid())
    },
    principal([row]: readonly Acting[]) {
      if (!row) return ended()
      return {
        userId: row.userId,
        impersonatedBy: row.operatorId,
        impersonation: { id: row.id, organizationId: row.organizationId },
      }
    },
  }
}

type Acting = Pick<ImpersonationRow, 'id' | 'organizationId' | 'userId' | 'operatorId'>
