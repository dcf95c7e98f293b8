/**
 * The adapter for Stripe. It needs the package `stripe`, which only this subpath loads.
 *
 * @module
 */
export { stripe } from './stripe.ts'
export type { StripeOptions } from './stripe.ts'
