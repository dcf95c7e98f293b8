/**
 * The host: how it has configured the library, in each of its isolates.
 *
 * @module
 */
import { eq, sql } from 'drizzle-orm'
import { users } from '../../host/identity/schema.ts'
import {
  allow,
  d1Seats,
  d1Sessions,
  joinRules,
  ledgerSeats,
  refuse,
  unlimitedSeats,
  type Database,
  type HookAnswer,
  type Mail,
  type WhenFull,
  type LedgerNamespace,
} from '../../src/index.ts'
import type { FlatOptions } from '../kit/flat-options.ts'
import { accessOptions, type AccessHost } from './access/host.ts'
import { travel, type Isolate, type Surroundings } from './network.ts'
import { PASSWORD } from './operations/deed.ts'
import { billingOf, type PayingHost } from './paying.ts'

export type ProviderName = 'ledger' | 'd1' | 'unlimited'

/** What differs from one history's host to the next. */
export interface HostOptions {
  readonly provider: ProviderName
  readonly defaultSeatLimit: number | 'unlimited'
  readonly invitationTtlSeconds: number
  readonly invitationsHoldSeats: boolean
  readonly mails: boolean
  /** Which sinks listen, beside the ledger's own. */
  readonly sinks: readonly string[]
  /** Whether changes wake the forwarder. */
  readonly queue: boolean
  /** What is done with who joins when there is no seat; null: nobody joins without being invited. */
  readonly joining: { readonly domain: WhenFull; readonly request: WhenFull } | null
  /** Whether the host has a say in who comes in, and wants to be told. */
  readonly hooks: boolean
  /** How many rows of D1 a ledger imports at once. */
  readonly importPage: number
  /** What organizations pay, where they do. */
  readonly paying?: PayingHost
  /** The further ways in, where there are any. */
  readonly access?: AccessHost
}

/** What a host's configuration says in an isolate. */
export function configure(
  surroundings: Surroundings,
  isolate: Isolate,
  host: HostOptions,
  database: Database,
  ledgers: unknown
): FlatOptions {
  const { random, sometimes } = surroundings
  return {
    database,
    seats:
      host.provider === 'ledger'
        ? ledgerSeats(ledgers as LedgerNamespace)
        : host.provider === 'd1'
          ? d1Seats()
          : unlimitedSeats(),
    defaultSeatLimit: host.defaultSeatLimit,
    ...(host.paying && { billing: billingOf(host.paying) }),
    sessions: d1Sessions(),
    users,
    secret: 'a secret for simulations, of more than 32 characters',
    verifyPassword: (_userId, password) => password === PASSWORD,
    invitationLimits: { perUser: Infinity, perOrganization: Infinity, perRecipient: Infinity },
    invitationTtlSeconds: host.invitationTtlSeconds,
    invitationsHoldSeats: host.invitationsHoldSeats,
    ...(host.mails && {
      mailer: {
        async send({ to, text, idempotencyKey }: Mail) {
          const [invitationId = ''] = idempotencyKey.split(':')
          const [, token = ''] = /join#(\S+)/.exec(text) ?? []
          surroundings.post.deliver(invitationId, to, token)
          return { outcome: 'sent' } as const
        },
      },
      invitationUrl: (token: string) => `https://app.example/join#${token}`,
    }),
    registerUser: async ({ userId: id, email, emailVerified, now }) => {
      const emailVerifiedAt = emailVerified ? now : null
      const row = { id, email, passwordHash: 'none', emailVerifiedAt, createdAt: now }
      return {
        ok: true,
        value: { statements: [database.insert(users).values(row)], user: { id } },
      }
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
    ...(host.joining && {
      joining: joinRules({
        whenFull: host.joining,
        ...(host.access && { links: { whenFull: host.access.link } }),
        verifyDomain() {
          if (random.chance(0.1)) throw new Error('The name server does not answer.')
          return random.chance(0.9)
        },
      }),
    }),
    ...(host.hooks && { hooks: hooksOf(surroundings, isolate) }),
    ...(host.access && accessOptions(host.access, database, surroundings)),
  }

  function hooksOf({ weather }: Surroundings, by: Isolate) {
    const tell = () =>
      travel(surroundings, by, {
        to: 'sink',
        what: 'hook',
        arrive() {
          if (!random.chance(weather.refusedDelivery)) return null
          sometimes('a hook failed and was run again')
          throw new Error('The host is not to be reached.')
        },
      })
    return {
      beforeAddMember({ caller }: { readonly caller: { readonly type?: string } }): HookAnswer {
        if (!random.chance(0.05)) return allow()
        if (caller.type === 'system') sometimes('a hook turned away who was first in line')
        return refuse('not_today')
      },
      afterAddMember: tell,
      afterMemberRemove: tell,
    }
  }
}
