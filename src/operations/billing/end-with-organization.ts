import { eq } from 'drizzle-orm'
import type { Follower } from '../../engine/changes/change-context.ts'
import { billingCustomers } from '../../database/schema/billing-inbox-tables.ts'

/**
 * Makes the customers of a deleted organization due in the batch that deletes it: the next sweep ends their
 * subscriptions, and looks at no other organization for that.
 */
export const endWithOrganization: Follower = ({ db }, { now }, events) =>
  events
    .filter(({ action }) => action === 'organization.delete')
    .map(({ organizationId }) =>
      db
        .update(billingCustomers)
        .set({ dueAt: now, attempts: 0 })
        .where(eq(billingCustomers.organizationId, organizationId))
    )
