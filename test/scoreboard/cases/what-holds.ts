/**
 * The museum's second room: what holds a seat, and until when.
 *
 * @module
 */
import { demand, type Case, type Driver } from '../driver.ts'
import { everyFault } from '../interleaving.ts'
import { codeOf, demandTrueUsage, must, rowsOf, scene, seated } from '../scene.ts'

const WEEK_SECONDS = 7 * 24 * 60 * 60

export const whatHolds: readonly Case[] = [
  {
    id: 'MUSEUM-11',
    title: 'a late request for a member who left does not affect a later member',
    needs: ['operationIds'],
    async run(driver) {
      const { product, id, owner, strangers } = await scene(driver, { limit: 2 })
      const [ann, ben] = [strangers[0]!, strangers[1]!]
      must(await product.add(owner, id, ann))
      must(await product.remove(owner, id, ann, 'ann goes'))
      must(await product.add(owner, id, ben))
      const again = await product.remove(owner, id, ann, 'ann goes')
      demand(again.ok, `the same removal again is answered ${codeOf(again)}`)
      await product.settled()
      demand((await rowsOf(driver, id, ben)) === 1, 'the late removal takes out somebody else')
      demand((await seated(driver, id)) === 2, 'the late removal frees somebody else’s seat')
      const more = await product.add(owner, id, strangers[2]!)
      demand(codeOf(more) === 'full', `one more is answered ${codeOf(more)}`)
    },
  },
  {
    id: 'MUSEUM-12',
    title: 'an expired invitation frees its seat',
    needs: ['heldSeats'],
    async run(driver) {
      const at = await scene(driver, { limit: 3, members: 1, invited: 2 })
      const { product, owner, id, strangers, invited } = at
      const early = await product.invite(owner, id, strangers[0]!.email)
      demand(codeOf(early) === 'full', `before it expires one more is answered ${codeOf(early)}`)
      await driver.later(id, WEEK_SECONDS + 120)
      const late = await product.accept(invited[0]!.person, invited[0]!.invitation)
      demand(!late.ok, 'an expired invitation lets somebody in')
      for (const { email } of strangers.slice(0, 2)) {
        const answer = await product.invite(owner, id, email)
        demand(answer.ok, `after it expired one more is answered ${codeOf(answer)}`)
      }
      const full = await product.add(owner, id, strangers[2]!)
      demand(codeOf(full) === 'full', `a third is answered ${codeOf(full)}`)
    },
  },
  {
    id: 'MUSEUM-13',
    title: 'a suspended member holds no seat, and needs one to be restored',
    needs: ['suspension'],
    async run(driver) {
      const { product, owner, id, members, strangers } = await scene(driver, {
        limit: 3,
        members: 3,
      })
      must(await product.suspend(owner, id, members[0]!))
      must(await product.add(owner, id, strangers[0]!))
      const alone = await product.restore(owner, id, [members[0]!])
      demand(codeOf(alone) === 'full', `restoring into a full organization is ${codeOf(alone)}`)
      must(await product.suspend(owner, id, members[1]!))
      const both = await product.restore(owner, id, [members[0]!, members[1]!])
      demand(codeOf(both) === 'full', `restoring two into one seat is ${codeOf(both)}`)
      demand((await seated(driver, id)) === 2, 'a refused restoration restores somebody')
      must(await product.restore(owner, id, [members[0]!]))
    },
  },
  {
    id: 'MUSEUM-14',
    title: 'a limit of 0 is 0, and a limit that is not a number admits no user',
    async run(driver) {
      for (const limit of [0, Number.NaN, Infinity, -1, 1.5, '', 'ten', null, undefined]) {
        const { product, owner, id, strangers } = await scene(driver, { limit })
        const answer = await product.add(owner, id, strangers[0]!)
        const shown = typeof limit === 'string' ? `"${limit}"` : String(limit)
        demand(!answer.ok, `a limit of ${shown} lets a second member in`)
        demand((await seated(driver, id)) === 1, `a limit of ${shown} leaves a row behind`)
      }
    },
  },
  {
    id: 'MUSEUM-15',
    title: 'a limit hides no member from a list',
    needs: ['setLimit'],
    async run(driver) {
      const { product, owner, id, members } = await scene(driver, { limit: 3, members: 3 })
      must(await product.setLimit(id, 1, 100))
      const listed = must(await product.members(owner, id))
      demand(listed.length === 3, `of three members ${listed.length} are listed`)
      const other = must(await product.createOrganization(members[0]!, 1))
      const own = must(await product.organizations(members[0]!))
      demand(own.includes(id) && own.includes(other), 'an organization is missing from the list')
    },
  },
  {
    id: 'MUSEUM-16',
    title: 'the limit holds if a step of its check fails',
    async run(driver) {
      const full = () => scene(driver, { limit: 1 })
      const plain = await full()
      const answer = await plain.product.add(plain.owner, plain.id, plain.strangers[0]!)
      demand(codeOf(answer) === 'full', `a second member of one is answered ${codeOf(answer)}`)
      await everyFault(
        driver,
        full,
        (product, { owner, id, strangers }) => product.add(owner, id, strangers[0]!),
        async ({ id }) => {
          demand((await seated(driver, id)) === 1, 'a failed check lets somebody in')
        }
      )
    },
  },
  {
    id: 'MUSEUM-17',
    title: 'a refusal changes no row',
    async run(driver) {
      const at = await scene(driver, { limit: 2, members: 2 })
      const { product, owner, id, strangers } = at
      const before = await rowCounts(driver, id)
      const doors = [
        product.add(owner, id, strangers[0]!),
        ...(driver.lacks.heldSeats === undefined
          ? [product.invite(owner, id, strangers[1]!.email)]
          : []),
      ]
      for (const answer of await Promise.all(doors)) {
        demand(codeOf(answer) === 'full', `a full organization answers ${codeOf(answer)}`)
      }
      await product.settled()
      const after = await rowCounts(driver, id)
      demand(before === after, `the refusal leaves ${after} where ${before} were`)
      await demandTrueUsage(driver, at)
    },
  },
]

async function rowCounts(driver: Driver, organization: string): Promise<string> {
  const { members, pending } = await driver.tables(organization)
  return `${members.length} members and ${pending} invitations`
}
