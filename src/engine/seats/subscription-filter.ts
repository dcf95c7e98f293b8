import { sql, type SQL } from 'drizzle-orm'

/**
 * Builds the condition on `seatgate_subscriptions` that a subscription grants seats at an instant. It has
 * the meaning of `grantOf`.
 */
export function isGranting(now: Date): SQL<boolean> {
  const at = sql`cast(${now.getTime()} as integer)`
  return sql<boolean>`(ended_at is null and not paused and (cancel_at is null or cancel_at > ${at})
    and (status = 'active'
      or (status = 'trialing' and (trial_end is null or trial_end > ${at}))
      or (status = 'past_due' and grace_end is not null and grace_end >= ${at})))`
}

/** Builds the condition that a subscription can still charge; it has the meaning of `canCharge`. */
export function isChargeable(): SQL<boolean> {
  return sql<boolean>`(ended_at is null and status not in ('canceled', 'incomplete_expired'))`
}

/** Builds the condition that dunning may ask the provider; it has the meaning of `isDunningSweepable`. */
export function isSweepable(): SQL<boolean> {
  return sql<boolean>`(ended_at is null and status = 'past_due')`
}
