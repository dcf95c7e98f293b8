import type { Random } from './random.ts'

/**
 * What goes wrong in one history, and how often: each history has a weather of its own, so that some
 * are calm and crowded and in others a fault meets every step.
 */
export interface Weather {
  /** Probabilities for each trip from one place to another. */
  readonly crashBefore: number
  readonly crashAfter: number
  readonly lostRequest: number
  readonly lostResponse: number
  /** The sender is told that it failed, and it arrives all the same, much later. */
  readonly lateRequest: number
  /** The trip takes longer than anybody waits. */
  readonly slow: number
  /** Of a call to a ledger: its object is reset under it. */
  readonly evicted: number
  /** Of a message: it is delivered once more, or not at all. */
  readonly duplicated: number
  readonly lostMessage: number
  /** Of an alarm: the platform fails it. */
  readonly failedAlarm: number
  /** Of a delivery to a sink. */
  readonly refusedDelivery: number
  /** A ledger's storage is lost so often on average, in ms. */
  readonly storageLostEvery: number
  /** D1 is out from then on for so long, in ms; null: it is not. */
  readonly outage: { readonly after: number; readonly lasts: number } | null
  /** D1 is brought back to where it was so long before, in ms. */
  readonly restore: { readonly after: number; readonly back: number } | null
  /** How long a trip takes at most, on ordinary days, in ms. */
  readonly distance: number
  /** How long somebody thinks at most between two operations, in ms. */
  readonly thinking: number
}

export const calm: Omit<Weather, 'distance' | 'thinking'> = {
  crashBefore: 0,
  crashAfter: 0,
  lostRequest: 0,
  lostResponse: 0,
  lateRequest: 0,
  slow: 0,
  evicted: 0,
  duplicated: 0,
  lostMessage: 0,
  failedAlarm: 0,
  refusedDelivery: 0,
  storageLostEvery: Infinity,
  outage: null,
  restore: null,
}

const HOUR = 3_600_000

export function drawWeather(random: Random): Weather {
  const pace = {
    distance: random.between(2, 200),
    thinking: random.between(2, 30_000),
  }
  if (random.chance(0.1)) return { ...calm, ...pace }
  const sometimes = (most: number) => (random.chance(0.6) ? random.between(most / 20, most) : 0)
  const weather = {
    ...pace,
    crashBefore: sometimes(0.03),
    crashAfter: sometimes(0.03),
    lostRequest: sometimes(0.04),
    lostResponse: sometimes(0.06),
    lateRequest: sometimes(0.04),
    slow: sometimes(0.03),
    evicted: sometimes(0.05),
    duplicated: sometimes(0.3),
    lostMessage: sometimes(0.3),
    failedAlarm: random.chance(0.3) ? (random.pick([0.3, 0.8, 0.97]) ?? 0) : 0,
    refusedDelivery: sometimes(0.15),
    storageLostEvery: random.chance(0.35) ? random.between(2_000, 600_000) : Infinity,
    outage: random.chance(0.2)
      ? { after: random.between(100, 120_000), lasts: random.between(1_000, HOUR) }
      : null,
    restore: random.chance(0.15)
      ? { after: random.between(1_000, 300_000), back: random.between(100, 120_000) }
      : null,
  }
  // An alarm is given up only while nobody calls its ledger: in an outage of D1.
  return weather.outage && weather.failedAlarm > 0 ? { ...weather, failedAlarm: 0.97 } : weather
}
