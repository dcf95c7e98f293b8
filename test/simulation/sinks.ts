import type { AuditEvent, Delivery, Sink } from '../../src/index.ts'
import type { Heard } from '../../src/testing/index.ts'
import { travel, type Isolate, type Surroundings } from './network.ts'

/** What a sink has heard, by organization. */
export type HeardByOrganization = Map<string, Heard[]>

/** A sink on the other end of the network, which keeps what it hears. */
export function listeningSink(
  surroundings: Surroundings,
  isolate: Isolate,
  id: string,
  heard: HeardByOrganization
): Sink {
  const { random, sometimes } = surroundings
  return {
    id,
    accepts: (action) => id !== 'organizations' || action.startsWith('organization.'),
    deliver: (event: AuditEvent) =>
      travel<Delivery>(surroundings, isolate, {
        to: 'sink',
        what: id,
        arrive() {
          if (random.chance(surroundings.weather.refusedDelivery)) {
            sometimes('a sink refused an event')
            return { outcome: 'retry', reason: 'full' }
          }
          const { organizationId, sequence, action } = event
          const known = heard.get(organizationId) ?? []
          heard.set(organizationId, known)
          if (known.some((earlier) => earlier.sequence === sequence)) {
            sometimes('a sink heard an event twice')
          }
          known.push({ sequence, action })
          return { outcome: 'delivered' }
        },
      }),
  }
}
