import type { Stripe } from 'stripe'
import { checkedAmount, checkedQuantity, itemOf } from '../adapter-options.ts'
import type { ItemChange, Preview, PreviewLine, PreviewOf } from '../billing-provider.ts'
import { ProviderError } from '../provider-error.ts'
import { prorationBehavior, type StripeApi } from './stripe-proration.ts'
import { subscriptionOf } from './stripe-subscription.ts'

/**
 * Previews the next invoice. The amount is what Stripe says is due, with tax, discounts and balance, and
 * not a sum of lines; the lines are those of all pages.
 */
export async function previewInvoice(api: StripeApi, of: PreviewOf): Promise<Preview> {
  const { client } = api
  const invoice = await client.invoices.createPreview(await paramsOf(api, of))
  const { amount_due, currency, lines } = invoice
  const all = lines.has_more ? await allLines(client, invoice.id) : lines.data
  if (all.some((line) => line.currency !== currency)) {
    throw new ProviderError('permanent', 'mixed_currencies')
  }
  return { amountDue: checkedAmount(amount_due), currency, lines: all.map(lineOf) }
}

async function paramsOf(api: StripeApi, of: PreviewOf): Promise<Stripe.InvoiceCreatePreviewParams> {
  if ('subscriptionId' in of) return changeOf(api, of)
  const items = of.items.map(({ priceId, quantity }) => ({
    price: priceId,
    ...(quantity !== null && { quantity: checkedQuantity(quantity) }),
  }))
  return { customer: of.customerId, subscription_details: { items } }
}

// The same inputs as the change itself.
async function changeOf(api: StripeApi, change: ItemChange) {
  const found = await api.client.subscriptions.retrieve(change.subscriptionId)
  const subscription = await subscriptionOf(api, found)
  const { id, priceId } = itemOf(subscription, change)
  const { toPriceId = priceId } = change
  const quantity = checkedQuantity(change.quantity)
  return {
    subscription: subscription.subscriptionId,
    subscription_details: {
      items: [{ id, quantity, ...(toPriceId !== priceId && { price: toPriceId }) }],
      proration_behavior: prorationBehavior(api, subscription, change),
    },
  }
}

async function allLines(client: Stripe, invoiceId: string): Promise<Stripe.InvoiceLineItem[]> {
  const lines: Stripe.InvoiceLineItem[] = []
  for await (const line of client.invoices.listLineItems(invoiceId, { limit: 100 })) {
    lines.push(line)
  }
  return lines
}

function lineOf({ description, amount, quantity }: Stripe.InvoiceLineItem): PreviewLine {
  return { description: description ?? '', amount: checkedAmount(amount), quantity }
}
