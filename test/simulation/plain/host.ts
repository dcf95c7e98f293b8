/**
 * The host of the histories that run in the simulation and in workerd: nothing in it is left to chance.
 *
 * @module
 */
import { eq, sql } from 'drizzle-orm'
import { users } from '../../../host/identity/schema.ts'
import { d1Sessions, joinRules, type Database, type SeatProvider } from '../../../src/index.ts'
import type { FlatOptions } from '../../kit/flat-options.ts'
import { accessOptions, type AccessHost } from '../access/host.ts'
import { PASSWORD } from '../operations/deed.ts'
import { FIRST_WITH_DELEGATION, type Random } from '../random.ts'

const ACCESS: AccessHost = {
  bounded: true,
  guests: 2,
  owned: 2,
  memberships: 3,
  link: 'wait',
  pushed: 'wait',
  deprovision: 'suspend',
  mostKeys: 4,
}

const WITH_DELEGATION: AccessHost = {
  ...ACCESS,
  delegation: { roles: 3, groups: 4, groupMembers: 4, minutes: 20 },
}

/** Seeds from here on are of histories in which trips are lost. */
export const FIRST_WITH_FAULTS = 3_750_000_000

/** The host of a seed. */
export const accessOf = (seed: number): AccessHost =>
  seed < FIRST_WITH_DELEGATION ? ACCESS : WITH_DELEGATION

/** What is injected: the same in both. */
export interface Injected {
  readonly now: () => Date
  readonly newId: () => string
  readonly waitUntil: (work: Promise<unknown>) => void
  /** Decides ids of accounts and secrets. */
  readonly random: Random
}

export function plainOptions(
  access: AccessHost,
  database: Database,
  seats: SeatProvider,
  { now, newId, waitUntil, random }: Injected
): FlatOptions {
  const post = { believe() {} }
  return {
    database,
    seats,
    defaultSeatLimit: 6,
    sessions: d1Sessions(),
    users,
    secret: 'a secret for simulations, of more than 32 characters',
    verifyPassword: (_userId, password) => password === PASSWORD,
    invitationLimits: { perUser: Infinity, perOrganization: Infinity, perRecipient: Infinity },
    invitationTtlSeconds: 3_600,
    registerUser: async ({ userId: id, email, emailVerified, now: createdAt }) => {
      const emailVerifiedAt = emailVerified ? createdAt : null
      const row = { id, email, passwordHash: 'none', emailVerifiedAt, createdAt }
      const statements = [database.insert(users).values(row)]
      return { ok: true, value: { statements, user: { id } } }
    },
    emailVerification: {
      column: users.emailVerifiedAt,
      markVerified: (userId, emailVerifiedAt) => [
        database
          .update(users)
          .set({ emailVerifiedAt })
          .where(sql`${eq(users.id, userId)} and ${users.emailVerifiedAt} is null`),
      ],
    },
    lifecycle: {
      onDelete: (statements, { userId }) => ({
        ok: true,
        statements: [...statements, database.delete(users).where(eq(users.id, userId))],
      }),
    },
    joining: joinRules({
      whenFull: { domain: 'wait', request: 'wait' },
      links: { whenFull: access.link },
      verifyDomain: () => true,
    }),
    ...accessOptions(access, database, { post, random } as never),
    queue: { send: async () => {}, sendBatch: async () => {} },
    waitUntil,
    report: () => {},
    now,
    newId,
    newSecret: () => Uint8Array.from({ length: 32 }, () => random.below(256)),
    random: () => 0.5,
  }
}
