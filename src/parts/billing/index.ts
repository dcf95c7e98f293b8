/**
 * The connection to billing providers: webhooks, checkout, quantities and cancellations.
 *
 * @module
 */
export { connectBilling } from './connection.ts'
export type {
  BillingConnection,
  BillingHandler,
  ConnectionContext,
  ConnectionOptions,
  HandledEvent,
  QuantityMode,
} from './connection.ts'
export type * from './billing-provider.ts'
export type * from './webhook-request.ts'
export { ProviderError } from './provider-error.ts'
export { receiveWebhook } from './receive-webhook.ts'
export type { WebhookOutcome } from './receive-webhook.ts'
export { processEvents, reconcileCustomer } from './process-events.ts'
export { putCustomer } from './customers.ts'
export { openCheckout, openPortal, previewChange } from './checkout.ts'
export type { Address, CheckoutInput, PreviewInput, PreviewView } from './checkout.ts'
export { cancelSubscription, requestSeats, resumeSubscription } from './change-subscription.ts'
export type { CancelInput, SeatsInput, SeatsIntended } from './change-subscription.ts'
export { compareSeats } from './compare-seats.ts'
export type { CompareSeatsRefusal, SeatComparison, SeatMismatch } from './compare-seats.ts'
export { expandSeats } from './expand-seats.ts'
export { quantitySink } from './sync-quantity.ts'
export { requeueEvent } from './requeue-event.ts'
export type { EventName } from './requeue-event.ts'
export { cancelUserSubscription, putUserCustomer } from './cancel-user.ts'
export { sweepBilling } from './sweep-billing.ts'
