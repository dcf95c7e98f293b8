import { Stripe } from 'stripe'
import { errorOfStatus, ProviderError } from '../provider-error.ts'

/**
 * Calls Stripe.
 *
 * @throws {ProviderError} for each failure, transient or permanent.
 */
export async function classified<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw providerError(error)
  }
}

function providerError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  if (error instanceof Stripe.errors.StripeConnectionError) {
    return new ProviderError('transient', 'unreachable', { cause: error })
  }
  if (!(error instanceof Stripe.errors.StripeError) || error.statusCode === undefined) {
    return new ProviderError('transient', 'no_answer', { cause: error })
  }
  const { statusCode, headers } = error
  const retryAfter = headers?.['retry-after'] ?? null
  const code = statusCode === 429 ? 'rate_limited' : wordOf(error.code)
  // Its message may contain data of the request: it is not the cause.
  return errorOfStatus(statusCode, { ...(code && { code }), retryAfter })
}

function wordOf(code: string | undefined): string | null {
  return code !== undefined && /^\w{1,60}$/.test(code) ? code : null
}
