import type { Stripe } from 'stripe'
import { itemOf, prorationOf } from '../adapter-options.ts'
import type {
  BillingProvider,
  ItemChange,
  Proration,
  RemoteSubscription,
} from '../billing-provider.ts'

const PRORATIONS = {
  create: 'create_prorations',
  none: 'none',
  always_invoice: 'always_invoice',
} as const satisfies Record<Proration, string>

/** The client, and how changes are billed. */
export interface StripeApi {
  readonly name: string
  readonly client: Stripe
  readonly prorationFor: BillingProvider['prorationFor']
}

/** Returns Stripe's word for how the change of an item is billed. */
export function prorationBehavior(
  { prorationFor }: StripeApi,
  subscription: RemoteSubscription,
  change: ItemChange
) {
  return PRORATIONS[prorationOf(prorationFor, itemOf(subscription, change), change)]
}
