import { checkOptionNames, type NoOptions } from '../../base/names.ts'
import { ok } from '../../base/result.ts'
import { unlimited } from './limit.ts'
import type { SeatContext, SeatProvider } from './provider.ts'
import { countSeats } from './count-seats.ts'

/**
 * Does not limit or count seats. Memberships still carry seat ids, so that another provider can take over
 * at any time.
 *
 * @example
 * ```ts
 * createSeatgate({ database: drizzle(env.DB), seats: unlimitedSeats(), sessions: 'none' })
 * ```
 */
export function unlimitedSeats(options: NoOptions = {}): SeatProvider {
  checkOptionNames('unlimitedSeats', options, [])
  const usage = async (context: SeatContext, organizationId: string) =>
    ok({ ...(await countSeats(context, organizationId)), limit: unlimited, version: 0 })
  return {
    enforces: false,
    async reserve() {
      return ok({ guards: [], count: null })
    },
    async reserveEach(_context, requests) {
      return requests.map(() => ok({ guards: [], count: null }))
    },
    async confirm() {},
    async release() {},
    setLimit: (context, { organizationId }) => usage(context, organizationId),
    usage,
  }
}
