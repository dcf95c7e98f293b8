import { seatLimit, webhookSink, type Sink } from '../src/index.ts'

/** The variables of `wrangler.toml`, and the secret beside them. */
export interface Variables {
  readonly ENVIRONMENT?: string
  readonly DEFAULT_SEAT_LIMIT?: string
  readonly SEAT_RESERVATION_SECONDS?: string
  readonly OPERATOR_EMAILS?: string
  readonly AUDIT_WEBHOOK_URL?: string
  readonly AUDIT_WEBHOOK_SECRET?: string
}

/** The settings of the reference host, checked. */
export interface Settings {
  readonly defaultSeatLimit: number | 'unlimited'
  readonly reservationSeconds: number
  readonly isOperator: (email: string) => boolean
  readonly sinks: readonly Sink[]
}

/**
 * Reads the settings.
 *
 * @throws {TypeError} naming the variable that is wrong.
 */
export function readSettings(variables: Variables): Settings {
  const operators = new Set(
    (variables.OPERATOR_EMAILS ?? '')
      .split(',')
      .map((email) => email.trim().toLowerCase())
      .filter((email) => email !== '')
  )
  return {
    defaultSeatLimit: defaultSeatLimit(variables.DEFAULT_SEAT_LIMIT || 'unlimited'),
    reservationSeconds: seconds(variables.SEAT_RESERVATION_SECONDS || '30'),
    isOperator: (email) => operators.has(email),
    sinks: sinks(variables),
  }
}

function defaultSeatLimit(text: string): number | 'unlimited' {
  if (text === 'unlimited') return text
  const limit = seatLimit(/^\d+$/.test(text) ? Number(text) : text)
  if (limit.kind === 'finite') return limit.seats
  throw new TypeError('DEFAULT_SEAT_LIMIT must be "unlimited" or a whole number from 0.')
}

function seconds(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0 && value <= 3600) return value
  throw new TypeError('SEAT_RESERVATION_SECONDS must be a number of seconds, up to 3600.')
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
