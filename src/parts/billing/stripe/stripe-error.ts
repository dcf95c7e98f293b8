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
  const code = statusCode === 429 ? 'rate_limited' : error.code
  return errorOfStatus(statusCode, { ...(code && { code }), retryAfter, cause: error })
}
