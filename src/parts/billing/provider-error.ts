/**
 * A call to a billing provider failed. `transient`: the same call may succeed later. The message has no
 * data of the request and no secret.
 */
export class ProviderError extends Error {
  override readonly name = 'ProviderError'
  readonly kind: 'transient' | 'permanent'
  /** Such as `rate_limited`, `timeout`, `seat_item_missing`. */
  readonly code: string
  /** How long the provider asks to wait. */
  readonly retryAfterSeconds: number | null

  constructor(
    kind: 'transient' | 'permanent',
    code: string,
    options: { readonly retryAfterSeconds?: number | null; readonly cause?: unknown } = {}
  ) {
    super(`The billing provider failed: ${code}.`, { cause: options.cause })
    this.kind = kind
    this.code = code
    this.retryAfterSeconds = options.retryAfterSeconds ?? null
  }
}

/** Creates the error of a response by its status. */
export function errorOfStatus(
  status: number,
  options: { readonly code?: string; readonly retryAfter?: string | null }
): ProviderError {
  const { code, retryAfter = null } = options
  const isTransient = status >= 500 || [408, 409, 423, 425, 429].includes(status)
  return new ProviderError(isTransient ? 'transient' : 'permanent', code ?? `status_${status}`, {
    retryAfterSeconds: isTransient ? secondsOf(retryAfter) : null,
  })
}

// A date is not used by the providers that are supported.
function secondsOf(retryAfter: string | null): number | null {
  return retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : null
}

/** Returns the code of an error, which has no data and no secret. */
export function codeOf(error: unknown): string {
  if (error instanceof ProviderError) return error.code
  return error instanceof Error ? error.name : 'Error'
}
