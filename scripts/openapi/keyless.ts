const BY_TOKEN = ['/invitations/view', '/invitations/decline', '/invitations/accept-with-signup']

/** The routes that need no signed-in caller. */
export const OPEN: readonly string[] = [...BY_TOKEN, '/billing/webhooks/:provider', '/openapi.json']

/** The POSTs that take no `Idempotency-Key`. */
export const KEYLESS: readonly string[] = [
  ...OPEN,
  '/organizations/switch',
  '/organizations/:org/billing/preview',
  '/invite-links/view',
  '/step-up',
  '/step-up/challenge',
]
