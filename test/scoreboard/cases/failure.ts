/**
 * The museum's last room: failure.
 *
 * @module
 */
import type { Around } from '../../../bench/meter.ts'
import { demand, type Answer, type Case, type Person } from '../driver.ts'
import { everyFault } from '../interleaving.ts'
import { codeOf, demandTrueUsage, must, rowsOf, scene, type Scene } from '../scene.ts'

const RECOVERY_SECONDS = 61

export const failure: readonly Case[] = [
  {
    id: 'MUSEUM-29',
    title: 'a retry after a lost answer leaves one membership and one seat',
    async run(driver) {
      const doors: {
        readonly who: (at: Scene) => Person
        readonly enter: (product: Scene['product'], at: Scene) => Promise<Answer>
      }[] = [
        {
          who: ({ strangers }) => strangers[0]!,
          enter: (product, { owner, id, strangers }) =>
            product.add(owner, id, strangers[0]!, 'member', `join ${id}`),
        },
        {
          who: ({ invited }) => invited[0]!.person,
          enter: (product, { invited }) =>
            product.accept(invited[0]!.person, invited[0]!.invitation),
        },
      ]
      for (const { who, enter } of doors) {
        await everyFault(
          driver,
          () => scene(driver, { limit: 4, members: 1, invited: 1 }),
          enter,
          async (at) => {
            const again = await enter(at.product, at)
            await at.product.settled()
            // The same operation gets the same answer where there are operation ids. Otherwise it
            // is enough to be told that one is in.
            const heard = ['ok', 'already_member', 'gone', 'busy'].includes(codeOf(again))
            demand(heard, `the second attempt is answered ${codeOf(again)}`)
            await driver.later(at.id, RECOVERY_SECONDS)
            if (!again.ok) await enter(at.product, at)
            await at.product.settled()
            const rows = await rowsOf(driver, at.id, who(at))
            demand(rows === 1, `after a second attempt there are ${rows} memberships`)
            await demandTrueUsage(driver, at)
          }
        )
      }
    },
  },
  {
    id: 'MUSEUM-30',
    title: 'without the seat store no user can join, and every member can leave',
    needs: ['seatStore'],
    async run(driver) {
      const at = await scene(driver, { limit: 9, members: 3, invited: 1 })
      const { owner, id, members, strangers, invited } = at
      const down: Around = ({ store }, run) => {
        if (store === 'ledger') throw new Error('Durable Object is overloaded.')
        return run()
      }
      const product = driver.open(down)
      for (const answer of [
        await product.add(owner, id, strangers[0]!),
        await product.invite(owner, id, strangers[1]!.email),
      ]) {
        demand(codeOf(answer) === 'unavailable', `growth without a seat store is ${codeOf(answer)}`)
      }
      for (const answer of [
        await product.leave(members[0]!, id),
        await product.remove(owner, id, members[1]!),
        await product.revoke(owner, id, invited[0]!.invitation),
      ]) {
        must(answer)
      }
    },
  },
]
