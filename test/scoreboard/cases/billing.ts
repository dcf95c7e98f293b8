/**
 * The museum's third room: billing meets seats.
 *
 * @module
 */
import { demand, type Answer, type Case, type Product } from '../driver.ts'
import { race } from '../interleaving.ts'
import { codeOf, demandTrueUsage, must, scene, seated, usageOf, type Scene } from '../scene.ts'

export const billing: readonly Case[] = [
  {
    id: 'MUSEUM-18',
    title: 'a new limit is not overwritten by a join or an older limit',
    needs: ['setLimit', 'usage'],
    async run(driver) {
      await race(driver, {
        set: () => scene(driver, { limit: 10, members: 2 }),
        first: (product, { owner, id, strangers }) => product.add(owner, id, strangers[0]!),
        second: (product, { id }) => product.setLimit(id, 20, 100),
        async check(at, joined, bought) {
          must(joined)
          must(bought)
          const { limit, used } = await usageOf(at)
          demand(limit === 20, `20 seats were bought, and ${limit} are on record`)
          demand(used === 3, `three members use ${used} seats`)
        },
      })
      const at = await scene(driver, { limit: 10 })
      must(await at.product.setLimit(at.id, 20, 100))
      // It may be refused or answered with the newer limit, but it must not be set.
      await at.product.setLimit(at.id, 5, 99)
      const { limit } = await usageOf(at)
      demand(limit === 20, `an older version of the limit makes it ${limit}`)
    },
  },
  {
    id: 'MUSEUM-19',
    title: 'every display and every refusal know the same limit',
    needs: ['setLimit', 'usage', 'heldSeats'],
    async run(driver) {
      const at = await scene(driver, { limit: 2, members: 2 })
      const { product, owner, id, strangers } = at
      must(await product.setLimit(id, 3, 100))
      must(await product.add(owner, id, strangers[0]!))
      const shown = await usageOf(at)
      demand(
        shown.limit === 3 && shown.used === 3,
        `3 of 3 is shown as ${shown.used} of ${shown.limit}`
      )
      for (const refused of [
        await product.add(owner, id, strangers[1]!),
        await product.invite(owner, id, strangers[2]!.email),
      ]) {
        demand(codeOf(refused) === 'full', `a full organization answers ${codeOf(refused)}`)
        const { limit, used } = refused as { limit?: number; used?: number }
        demand(limit === 3 && used === 3, `a refusal says ${used} of ${limit}, the display 3 of 3`)
      }
    },
  },
  {
    id: 'MUSEUM-20',
    title: 'no operation admits a user to a full organization',
    async run(driver) {
      const at = await scene(driver, { limit: 3, members: 3 })
      const { product, owner, id, members, strangers } = at
      const doors: Record<string, (scene: Scene) => Promise<Answer>> = {
        'adding a member': () => product.add(owner, id, strangers[0]!),
        'adding an admin': () => product.add(owner, id, strangers[0]!, 'admin'),
        'adding an owner': () => product.add(owner, id, strangers[0]!, 'owner'),
      }
      if (driver.lacks.heldSeats === undefined) {
        doors['inviting'] = () => product.invite(owner, id, strangers[1]!.email)
        doors['inviting an owner'] = () => product.invite(owner, id, strangers[1]!.email, 'owner')
      } else {
        const late = await scene(driver, { limit: 3, members: 2, invited: 1 })
        must(await late.product.add(late.owner, late.id, late.strangers[0]!))
        const answer = await acceptFirst(late.product, late)
        demand(codeOf(answer) === 'full', `accepting into a full organization is ${codeOf(answer)}`)
      }
      if (driver.lacks.suspension === undefined) {
        must(await product.suspend(owner, id, members[0]!))
        must(await product.add(owner, id, strangers[3]!))
        doors['restoring'] = () => product.restore(owner, id, [members[0]!])
      }
      for (const [door, enter] of Object.entries(doors)) {
        const answer = await enter(at)
        demand(codeOf(answer) === 'full', `${door} into a full organization is ${codeOf(answer)}`)
      }
      await product.settled()
      demand((await seated(driver, id)) === 3, 'a refused door lets somebody in')
      await demandTrueUsage(driver, at)
    },
  },
  {
    id: 'MUSEUM-21',
    title: 'a harmless edit of an open invitation needs no seat',
    async run(driver) {
      const at = await scene(driver, { limit: 3, members: 2, invited: 1 })
      const { product, owner, id, invited } = at
      const { invitation } = invited[0]!
      const before = await seated(driver, id)
      if (driver.lacks.heldSeats !== undefined) {
        must(await product.add(owner, id, at.strangers[0]!))
      }
      if (driver.lacks.invitationRoles === undefined) {
        const changed = await product.changeInvitationRole(owner, id, invitation, 'admin')
        demand(changed.ok, `another role for an invitee is answered ${codeOf(changed)}`)
      }
      const sent = await product.resend(owner, id, invitation)
      demand(sent.ok, `sending an invitation again is answered ${codeOf(sent)}`)
      if (driver.lacks.heldSeats === undefined) {
        const again = await product.invite(owner, id, invitation.email)
        demand(again.ok, `inviting an address again is answered ${codeOf(again)}`)
        await product.settled()
        demand((await seated(driver, id)) === before, 'a harmless edit moves a seat')
      }
      await demandTrueUsage(driver, at)
    },
  },
]

const acceptFirst = (product: Product, { invited }: Scene) =>
  product.accept(invited[0]!.person, invited[0]!.invitation)
