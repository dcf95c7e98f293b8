import { inBackground } from '../../base/async.ts'
import type { ConnectionContext } from './connection.ts'
import { recordEvent } from './inbox.ts'
import { processEvents } from './process-events.ts'
import type { WebhookRequest } from './webhook-request.ts'

/**
 * `taken`: recorded, now or before. `refused`: the signature, its time or the body is wrong. `unknown`:
 * there is no provider of this name. `again`: the provider is to send it again.
 */
export type WebhookOutcome = 'taken' | 'refused' | 'unknown' | 'again'

/**
 * Receives a webhook: checks its signature, records it in one round trip, and applies it after the
 * response. A repeat writes no row and is `taken`. `refused`: the signature is wrong; `unknown`: there is no
 * such provider; `again`: the batch failed, and the provider has to send it again.
 *
 * @example
 * ```ts
 * const outcome = await receiveWebhook({ ...seatgate, connection }, 'stripe', request)
 * ```
 */
export async function receiveWebhook(
  context: ConnectionContext,
  name: string,
  request: WebhookRequest
): Promise<WebhookOutcome> {
  const { connection, report } = context
  const provider = connection.providers.get(name)
  if (provider === undefined) return 'unknown'
  try {
    const received = await provider.receive(request)
    if (!received.verified) {
      report({ event: 'billing_webhook_refused', error: `${name}: ${received.reason}` })
      return 'refused'
    }
    const { event } = received
    const isNew = await recordEvent(context, name, event)
    const { subscriptionId } = event
    if (isNew && subscriptionId !== null) {
      await inBackground(context, '', [
        () => processEvents(context, { provider: name, subscriptionId }),
      ])
    }
    return 'taken'
  } catch (error) {
    report({ event: 'billing_webhook_failed', error })
    return 'again'
  }
}
