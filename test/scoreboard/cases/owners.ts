/**
 * The museum's fourth room: an owner, always.
 *
 * @module
 */
import { demand, type Answer, type Case, type Driver, type Product } from '../driver.ts'
import { inStep, race } from '../interleaving.ts'
import { actingOwners, codeOf, countOf, must, scene, type Scene } from '../scene.ts'

/** What one of two owners does; `me` and `you` are theirs. */
type Move = (product: Product, at: Scene, me: 'a' | 'b') => Promise<Answer>

const personOf = ({ owner, members }: Scene, who: 'a' | 'b') => (who === 'a' ? owner : members[0]!)
const otherOf = (who: 'a' | 'b') => (who === 'a' ? 'b' : 'a')

const leave: Move = (product, at, me) => product.leave(personOf(at, me), at.id)
const demoteSelf: Move = (product, at, me) =>
  product.changeRole(personOf(at, me), at.id, personOf(at, me), 'member')
const demoteOther: Move = (product, at, me) =>
  product.changeRole(personOf(at, me), at.id, personOf(at, otherOf(me)), 'member')
const removeOther: Move = (product, at, me) =>
  product.remove(personOf(at, me), at.id, personOf(at, otherOf(me)))
const suspendOther: Move = (product, at, me) =>
  product.suspend(personOf(at, me), at.id, personOf(at, otherOf(me)))
const handOver: Move = (product, at, me) =>
  product.transfer(personOf(at, me), at.id, at.members[1]!)
const deleteSelf: Move = (product, at, me) => product.deleteUser(personOf(at, me))

function twoOwners(driver: Driver): Promise<Scene> {
  return scene(driver, { limit: 10, members: 2, role: 'owner' })
}

/** With somebody to hand over to. */
async function twoOwnersAndAnother(driver: Driver): Promise<Scene> {
  const at = await twoOwners(driver)
  const another = at.strangers[0]!
  must(await at.product.add(at.owner, at.id, another))
  await at.product.settled()
  return { ...at, members: [...at.members, another] }
}

async function demandOneOwner(driver: Driver, { first, second }: { first: Move; second: Move }) {
  const set = [first, second].includes(handOver) ? twoOwnersAndAnother : twoOwners
  await race(driver, {
    set: () => set(driver),
    first: (product, at) => first(product, at, 'a'),
    second: (product, at) => second(product, at, 'b'),
    async check(at, one, other) {
      const owners = await actingOwners(driver, at.id)
      const codes = `${codeOf(one)} and ${codeOf(other)}`
      demand(owners > 0, `two owners who act at once are answered ${codes}: no owner is left`)
      demand(one.ok || other.ok, `two owners who act at once are answered ${codes}`)
    },
  })
}

export const owners: readonly Case[] = [
  {
    id: 'MUSEUM-22',
    title: 'one of two owners stays if both leave or step down at once',
    async run(driver) {
      for (const [first, second] of [
        [leave, leave],
        [demoteSelf, demoteSelf],
        [leave, demoteSelf],
        [demoteOther, demoteOther],
      ] as const) {
        await demandOneOwner(driver, { first, second })
      }
    },
  },
  {
    id: 'MUSEUM-23',
    title: 'one of ten owners stays if all leave at once',
    async run(driver) {
      const at = await scene(driver, { limit: 20, members: 10, role: 'owner' })
      const answers = await inStep(
        driver,
        [at.owner, ...at.members].map((person) => (product) => product.leave(person, at.id))
      )
      const left = await actingOwners(driver, at.id)
      demand(left === 1, `of ten owners who all leave ${left} are left`)
      demand(countOf(answers, 'last_owner') === 1, 'nobody is told to be the last owner')
    },
  },
  {
    id: 'MUSEUM-24',
    title: 'one of two owners stays, for any two ways in which both leave at once',
    async run(driver) {
      const { lacks } = driver
      const moves = [
        leave,
        demoteSelf,
        removeOther,
        ...(lacks.suspension === undefined ? [suspendOther] : []),
        ...(lacks.transfer === undefined ? [handOver] : []),
        ...(lacks.userDeletion === undefined ? [deleteSelf] : []),
      ]
      for (const [index, first] of moves.entries()) {
        for (const second of moves.slice(index)) await demandOneOwner(driver, { first, second })
      }
    },
  },
  {
    id: 'MUSEUM-25',
    title: 'a suspended owner does not count as an owner',
    needs: ['suspension'],
    async run(driver) {
      const at = await twoOwners(driver)
      must(await at.product.suspend(at.owner, at.id, at.members[0]!))
      for (const move of [leave, demoteSelf]) {
        const answer = await move(at.product, at, 'a')
        demand(
          codeOf(answer) === 'last_owner',
          `the last who can act is answered ${codeOf(answer)}`
        )
      }
      demand((await actingOwners(driver, at.id)) === 1, 'no owner who can act is left')
    },
  },
  {
    id: 'MUSEUM-26',
    title: 'an invited owner does not count as an owner',
    async run(driver) {
      const { product, owner, id, strangers } = await scene(driver, { limit: 5 })
      const invitee = strangers[0]!
      const invitation = must(await product.invite(owner, id, invitee.email, 'owner'))
      const left = await product.leave(owner, id)
      demand(codeOf(left) === 'last_owner', `the only owner who leaves is answered ${codeOf(left)}`)
      if (driver.lacks.transfer === undefined) {
        const given = await product.transfer(owner, id, invitee)
        demand(!given.ok, 'an organization is handed over to somebody who is only invited')
      }
      must(await product.revoke(owner, id, invitation))
      demand((await actingOwners(driver, id)) === 1, 'no owner is left')
    },
  },
  {
    id: 'MUSEUM-27',
    title: 'one of two transfers succeeds, and a transfer to a former member keeps the owner',
    needs: ['transfer'],
    async run(driver) {
      const to =
        (index: number) =>
        (product: Product, { owner, id, members }: Scene) =>
          product.transfer(owner, id, members[index]!)
      await race(driver, {
        set: () => scene(driver, { limit: 5, members: 3 }),
        first: to(0),
        second: to(1),
        async check(at, one, other) {
          const owners = await actingOwners(driver, at.id)
          demand(owners === 1, `two transfers at once leave ${owners} owners`)
          demand(one.ok !== other.ok, `two transfers at once: ${codeOf(one)}, ${codeOf(other)}`)
        },
      })
      await race(driver, {
        set: () => scene(driver, { limit: 5, members: 3 }),
        first: to(0),
        second: (product, { id, members }) => product.leave(members[0]!, id),
        async check(at) {
          const owners = await actingOwners(driver, at.id)
          demand(owners === 1, `a transfer to who leaves meanwhile leaves ${owners} owners`)
        },
      })
    },
  },
  {
    id: 'MUSEUM-28',
    title: 'one of two owners stays if they remove each other',
    async run(driver) {
      await demandOneOwner(driver, { first: removeOther, second: removeOther })
    },
  },
]
