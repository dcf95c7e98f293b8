import { normalizeEmail, seatLimit, webhookSink, type Sink } from '../src/index.ts'
import type { KnownAs } from './identity/sessions.ts'

/** The variables of `wrangler.toml`, and the secret beside them. */
export interface Variables {
  readonly ENVIRONMENT?: string
  readonly DEFAULT_SEAT_LIMIT?: string
  readonly SEAT_RESERVATION_SECONDS?: string
  readonly OPERATOR_EMAILS?: string
  readonly OPERATOR_USER_IDS?: string
  readonly IMPERSONATION_MINUTES?: string
  readonly AUDIT_WEBHOOK_URL?: string
  readonly AUDIT_WEBHOOK_SECRET?: string
  readonly AUDIT_LOG_KEY?: string
  readonly AUDIT_RETENTION_DAYS?: string
  readonly INVITATION_SECRET?: string
  readonly INVITATIONS_HOLD_SEATS?: string
  readonly PUBLIC_URL?: string
  readonly JOINING_WHEN_FULL?: string
  readonly DNS_URL?: string
  readonly NETWORK_RATE?: string
  readonly ACCOUNT_RATE?: string
  readonly PROOF_RATE?: string
}

/** The settings of the reference host, checked. */
export interface Settings {
  readonly defaultSeatLimit: number | 'unlimited'
  readonly reservationSeconds: number
  readonly isOperator: (user: KnownAs) => boolean
  /**
   * Addresses that count as verified when somebody signs up with them: in development those of operators,
   * as no mail reaches anybody there.
   */
  readonly verifiedAtSignUp: ReadonlySet<string>
  /** The longest time for which an operator acts as a user, in minutes. Null: no operator does. */
  readonly impersonationMinutes: number | null
  readonly sinks: readonly Sink[]
  /** Signs checkpoints of audit logs. Null: none is kept. */
  readonly auditLogKey: string | null
  /** How many days audit events are kept. Null: for ever. */
  readonly auditRetentionDays: number | null
  /** Null: nobody can be invited. */
  readonly secret: string | null
  readonly invitationsHoldSeats: boolean
  /** What becomes of those who come by their domain or on request when all seats are taken. */
  readonly whenFull: 'refuse' | 'wait'
  /** Where DNS is asked over HTTPS (RFC 8484's JSON kin, as resolvers have it). */
  readonly dnsUrl: string
  /** Where people reach this host: what the link of an invitation begins with. Null: nobody said. */
  readonly publicUrl: string | null
  /** Whether mail is written where the developer can read it. */
  readonly printsMail: boolean
  /** How many requests a minute are taken, by the name of the variable. */
  readonly rates: Readonly<Record<RateName, number | 'unlimited'>>
}

/** The variables that choose a rate limit. */
export type RateName = 'NETWORK_RATE' | 'ACCOUNT_RATE' | 'PROOF_RATE'

/**
 * Reads the settings.
 *
 * @throws {TypeError} naming the variable that is wrong.
 */
export function readSettings(variables: Variables): Settings {
  const emails = new Set(listed(variables.OPERATOR_EMAILS).map(normalizeEmail))
  const userIds = new Set(listed(variables.OPERATOR_USER_IDS))
  return {
    defaultSeatLimit: defaultSeatLimit(variables.DEFAULT_SEAT_LIMIT || 'unlimited'),
    reservationSeconds: seconds(variables.SEAT_RESERVATION_SECONDS || '30'),
    isOperator: ({ userId, email, emailVerifiedAt }) =>
      userIds.has(userId) || (emailVerifiedAt !== null && emails.has(email)),
    verifiedAtSignUp: variables.ENVIRONMENT === 'development' ? emails : new Set(),
    impersonationMinutes: impersonationMinutes(variables.IMPERSONATION_MINUTES),
    sinks: sinks(variables),
    auditLogKey: variables.AUDIT_LOG_KEY || developmentKey(variables),
    auditRetentionDays: retentionDays(variables),
    secret: variables.INVITATION_SECRET || developmentSecret(variables),
    invitationsHoldSeats: yes('INVITATIONS_HOLD_SEATS', variables.INVITATIONS_HOLD_SEATS || 'true'),
    whenFull: whenFull(variables.JOINING_WHEN_FULL || 'refuse'),
    dnsUrl: variables.DNS_URL || 'https://cloudflare-dns.com/dns-query',
    publicUrl: publicUrl(variables),
    printsMail: variables.ENVIRONMENT === 'development',
    rates: {
      NETWORK_RATE: rate('NETWORK_RATE', variables),
      ACCOUNT_RATE: rate('ACCOUNT_RATE', variables),
      PROOF_RATE: rate('PROOF_RATE', variables),
    },
  }
}

function listed(text = ''): string[] {
  const items = text.split(',').map((item) => item.trim())
  return items.filter((item) => item !== '')
}

function defaultSeatLimit(text: string): number | 'unlimited' {
  if (text === 'unlimited') return text
  const limit = seatLimit(/^\d+$/.test(text) ? Number(text) : text)
  if (limit.kind === 'finite') return limit.seats
  throw new TypeError('DEFAULT_SEAT_LIMIT must be "unlimited" or a whole number from 0.')
}

function seconds(text: string): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : NaN
  if (value > 0 && value <= 3600) return value
  throw new TypeError('SEAT_RESERVATION_SECONDS must be a number of seconds, up to 3600.')
}

function impersonationMinutes(text = ''): number | null {
  if (text === '') return null
  const minutes = /^\d+$/.test(text) ? Number(text) : 0
  if (minutes >= 1 && minutes <= 60) return minutes
  throw new TypeError('IMPERSONATION_MINUTES must be a whole number from 1 to 60.')
}

function retentionDays(variables: Variables): number | null {
  const { AUDIT_RETENTION_DAYS, AUDIT_LOG_KEY } = variables
  if (!AUDIT_RETENTION_DAYS) return null
  const days = /^\d+$/.test(AUDIT_RETENTION_DAYS) ? Number(AUDIT_RETENTION_DAYS) : NaN
  if (!Number.isInteger(days) || days < 1) {
    throw new TypeError('AUDIT_RETENTION_DAYS must be a whole number of days, from 1.')
  }
  if (AUDIT_LOG_KEY || developmentKey(variables) !== null) return days
  throw new TypeError('AUDIT_LOG_KEY must be set beside AUDIT_RETENTION_DAYS.')
}

// Known to everybody, and good for trying things out alone.
function developmentSecret({ ENVIRONMENT }: Variables): string | null {
  return ENVIRONMENT === 'development' ? 'seatgate-development-secret-that-is-no-secret' : null
}

function developmentKey({ ENVIRONMENT }: Variables): string | null {
  return ENVIRONMENT === 'development'
    ? 'PRIVATE+KEY+seatgate.localhost+62133c90+AW/57MeuG4h38ESHyL8kkSL2+58evK4D0/m+C1JoFmoI'
    : null
}

function publicUrl({ ENVIRONMENT, PUBLIC_URL }: Variables): string | null {
  if (!PUBLIC_URL) return ENVIRONMENT === 'development' ? 'http://127.0.0.1:8787' : null
  const url = URL.parse(PUBLIC_URL)
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new TypeError('PUBLIC_URL must be an absolute http or https address, without a query.')
  }
  return url.href.replace(/\/+$/, '')
}

function whenFull(text: string): 'refuse' | 'wait' {
  if (text === 'refuse' || text === 'wait') return text
  throw new TypeError('JOINING_WHEN_FULL must be "refuse" or "wait".')
}

function yes(name: string, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new TypeError(`${name} must be "true" or "false".`)
}

function rate(name: RateName, variables: Variables): number | 'unlimited' {
  const usual = variables.ENVIRONMENT === 'development' ? '600' : '20'
  const text = variables[name] || usual
  if (text === 'unlimited') return text
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new TypeError(`${name} must be "unlimited" or a whole number from 1.`)
}

function sinks({ ENVIRONMENT, AUDIT_WEBHOOK_URL, AUDIT_WEBHOOK_SECRET }: Variables): Sink[] {
  if (!AUDIT_WEBHOOK_URL) return []
  const development = ENVIRONMENT === 'development'
  if (!AUDIT_WEBHOOK_SECRET && !development) {
    throw new TypeError('AUDIT_WEBHOOK_SECRET must be set beside AUDIT_WEBHOOK_URL.')
  }
  try {
    return [
      webhookSink({
        url: AUDIT_WEBHOOK_URL,
        secret: AUDIT_WEBHOOK_SECRET || null,
        allowLoopback: development,
      }),
    ]
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^webhookSink: /, '') : ''
    throw new TypeError(`AUDIT_WEBHOOK_URL or AUDIT_WEBHOOK_SECRET is wrong: ${reason}`, {
      cause: error,
    })
  }
}
