/** A webhook as it arrived. The signature is over the bytes, so no parser comes before the check. */
export interface WebhookRequest {
  readonly body: Uint8Array<ArrayBuffer>
  readonly headers: Headers
  readonly now: Date
}

/** The event of a verified webhook: identifiers and times, no state. */
export interface ProviderEvent {
  readonly id: string
  readonly type: string
  /** When it happened, by the provider's clock; null if the provider does not say. */
  readonly providerTime: Date | null
  /** Null if it is not about a subscription. */
  readonly subscriptionId: string | null
  readonly customerId: string | null
  readonly mode: 'live' | 'test'
  /** The connected account that it is about; empty for the provider's own. */
  readonly account: string
}

/** A verified event, or the reason why a webhook is refused. */
export type ReceivedWebhook =
  | { readonly verified: true; readonly event: ProviderEvent }
  | { readonly verified: false; readonly reason: WebhookRefusal }

/** `signature`: missing or wrong. `time`: too old, or too far in the future. `body`: not an event. */
export type WebhookRefusal = 'signature' | 'time' | 'body'

/** How far the time of a signature may be from now, in either direction. */
export const TOLERANCE_SECONDS = 300

/** Whether a signature's time is within the tolerance. */
export function isWithinTolerance(seconds: number, now: Date, toleranceSeconds: number): boolean {
  return Math.abs(now.getTime() / 1000 - seconds) <= toleranceSeconds
}

/**
 * Checks the secrets of an endpoint: one, or several while one replaces another.
 *
 * @throws {TypeError} if the list is empty, or a secret is empty or has white space. The message has no secret.
 */
export function checkedSecrets(
  where: string,
  secrets: string | readonly string[]
): readonly string[] {
  const list = typeof secrets === 'string' ? [secrets] : secrets
  const isFine = Array.isArray(list) && list.length > 0 && list.every(isSecret)
  if (!isFine) throw new TypeError(`${where}: webhookSecret must be a secret, or a list of them.`)
  return list
}

function isSecret(secret: unknown): boolean {
  return typeof secret === 'string' && secret !== '' && !/\s/.test(secret)
}
