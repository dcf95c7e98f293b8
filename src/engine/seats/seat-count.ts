import { limitView, type SeatLimit, type SeatLimitView } from './limit.ts'

/** The seats in use, and the limit with its version (0: no entitlement). */
export interface SeatCount {
  readonly limit: SeatLimit
  readonly version: number
  readonly held: number
  readonly reserved: number
}

/** A {@link SeatCount} in responses. `available` is never negative. */
export interface SeatUsage {
  readonly limit: SeatLimitView
  readonly held: number
  readonly reserved: number
  readonly available: SeatLimitView
  readonly overLimit: boolean
  readonly version: number
}

export function usageView({ limit, version, held, reserved }: SeatCount): SeatUsage {
  const used = held + reserved
  return {
    limit: limitView(limit),
    held,
    reserved,
    available: limit.kind === 'finite' ? Math.max(0, limit.seats - used) : limit.kind,
    overLimit: limit.kind === 'finite' && used > limit.seats,
    version,
  }
}
