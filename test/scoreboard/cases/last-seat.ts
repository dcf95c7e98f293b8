/**
 * The museum's first room: the last seat.
 *
 * @module
 */
import { demand, type Answer, type Case, type Driver, type Product } from '../driver.ts'
import { inStep, race } from '../interleaving.ts'
import {
  codeOf,
  countOf,
  demandTrueUsage,
  must,
  rowsOf,
  scene,
  seated,
  usageOf,
  type Scene,
} from '../scene.ts'

type Door = (product: Product, at: Scene) => Promise<Answer>

const add: Door = (product, { owner, id, strangers }) => product.add(owner, id, strangers[0]!)
const addAnother: Door = (product, { owner, id, strangers }) =>
  product.add(owner, id, strangers[1]!)
const invite: Door = (product, { owner, id, strangers }) =>
  product.invite(owner, id, strangers[2]!.email)
const accept: Door = (product, { invited }) =>
  product.accept(invited[0]!.person, invited[0]!.invitation)

/** The pairs of doors through which two may come for one seat. */
function pairsOf({ lacks }: Driver): readonly (readonly [Door, Door])[] {
  return lacks.heldSeats === undefined
    ? [
        [add, addAnother],
        [add, invite],
      ]
    : [
        [add, addAnother],
        [add, accept],
      ]
}

export const lastSeat: readonly Case[] = [
  {
    id: 'MUSEUM-01',
    title: 'of two joins at once for the last seat one succeeds, the other is refused as full',
    async run(driver) {
      for (const [first, second] of pairsOf(driver)) {
        await race(driver, {
          set: () =>
            scene(driver, {
              limit: 3,
              members: 2,
              invited: first === add && second === accept ? 1 : 0,
            }),
          first,
          second,
          async check(at, one, other) {
            const there = await seated(driver, at.id)
            demand(there <= 3, `${there} seats are taken of 3`)
            const codes = [codeOf(one), codeOf(other)].sort().join(', ')
            demand(codes === 'full, ok', `two for one seat are answered ${codes}`)
            await demandTrueUsage(driver, at)
          },
        })
      }
      const crowd = await scene(driver, { limit: 4, members: 1 })
      const people = await driver.people(12)
      const answers = await inStep(
        driver,
        people.map((person) => (product) => product.add(crowd.owner, crowd.id, person))
      )
      const there = await seated(driver, crowd.id)
      demand(there <= 4, `${there} seats are taken of 4`)
      demand(countOf(answers, 'ok') === 3, `${countOf(answers, 'ok')} of twelve get three seats`)
      demand(countOf(answers, 'full') === 9, 'not every other one is told that it is full')
    },
  },
  {
    id: 'MUSEUM-02',
    title: 'every operation and every display count the same seats',
    needs: ['heldSeats', 'usage'],
    async run(driver) {
      const at = await scene(driver, { limit: 3, members: 2, invited: 1 })
      demand((await usageOf(at)).used === 3, 'a pending invitation is not shown as a used seat')
      for (const door of [add, invite]) {
        const answer = await door(at.product, at)
        demand(
          codeOf(answer) === 'full',
          `a door into a full organization answers ${codeOf(answer)}`
        )
      }
      await demandTrueUsage(driver, at)
    },
  },
  {
    id: 'MUSEUM-03',
    title: 'accepting does not count the invitation that is accepted',
    async run(driver) {
      const at = await scene(driver, { limit: 2, members: 1, invited: 1 })
      const answer = await accept(at.product, at)
      demand(answer.ok, `the invitee of a full organization is answered ${codeOf(answer)}`)
      await at.product.settled()
      demand((await seated(driver, at.id)) === 2, 'accepting does not leave two seats taken')
      await demandTrueUsage(driver, at)
      const more = await add(at.product, at)
      demand(codeOf(more) === 'full', `one more is answered ${codeOf(more)}`)
    },
  },
  {
    id: 'MUSEUM-04',
    title: 'all invited users can join, also at once',
    async run(driver) {
      const at = await scene(driver, { limit: 4, members: 1, invited: 3 })
      const answers = await inStep(
        driver,
        at.invited.map(
          ({ person, invitation }) =>
            (product) =>
              product.accept(person, invitation)
        )
      )
      demand(countOf(answers, 'ok') === 3, `${countOf(answers, 'ok')} of three invitees get in`)
      demand((await seated(driver, at.id)) === 4, 'not all of them are members')
      await demandTrueUsage(driver, at)
    },
  },
  {
    id: 'MUSEUM-05',
    title: 'an invitee who has an account counts once',
    needs: ['heldSeats', 'usage'],
    async run(driver) {
      const at = await scene(driver, { limit: 3 })
      const { product, owner, id, strangers } = at
      must(await product.invite(owner, id, strangers[0]!.email, 'admin'))
      const { used } = await usageOf(at)
      demand(used === 2, `one member and one invitee use ${used} seats`)
      must(await invite(product, at))
    },
  },
  {
    id: 'MUSEUM-06',
    title: 'an invitation admits one user, once',
    async run(driver) {
      await race(driver, {
        set: () => scene(driver, { limit: 4, members: 1, invited: 1 }),
        first: accept,
        second: accept,
        async check(at, one, other) {
          const rows = await rowsOf(driver, at.id, at.invited[0]!.person)
          demand(rows === 1, `accepting twice makes ${rows} memberships`)
          demand(one.ok || other.ok, 'accepting twice lets nobody in')
          await demandTrueUsage(driver, at)
          const later = await at.product.accept(at.strangers[0]!, at.invited[0]!.invitation)
          demand(!later.ok, 'a spent invitation lets in somebody else')
        },
      })
    },
  },
  {
    id: 'MUSEUM-07',
    title: 'a join during a lowering of the limit comes before it, or is refused',
    needs: ['setLimit'],
    async run(driver) {
      await race(driver, {
        set: () => scene(driver, { limit: 5, members: 4 }),
        first: add,
        second: (product, { id }) => product.setLimit(id, 4, 100),
        async check(at, joined, lowered) {
          const then = must(lowered)
          const there = await seated(driver, at.id)
          demand(
            there <= Math.max(4, then.used),
            `the limit fell to 4 with ${then.used} seats used, and now there are ${there}`
          )
          demand(
            joined.ok ? there === 5 : codeOf(joined) === 'full',
            `the join is ${codeOf(joined)}`
          )
        },
      })
    },
  },
  {
    id: 'MUSEUM-08',
    title: 'a limit that falls below use during a join is recorded',
    needs: ['setLimit', 'usage'],
    async run(driver) {
      await race(driver, {
        set: () => scene(driver, { limit: 5, members: 4 }),
        first: (product, { id }) => product.setLimit(id, 4, 100),
        second: add,
        async check(at, lowered) {
          must(lowered)
          const there = await seated(driver, at.id)
          const { overLimit } = await usageOf(at)
          demand(overLimit === there > 4, `${there} seats of 4, and over the limit: ${overLimit}`)
          const more = await addAnother(at.product, at)
          demand(codeOf(more) === 'full', `one more is answered ${codeOf(more)}`)
        },
      })
    },
  },
  {
    id: 'MUSEUM-09',
    title: 'a user who joins in two ways at once has one membership and one seat',
    async run(driver) {
      const twice: readonly (readonly [Door, Door])[] = [
        [add, add],
        [accept, (product, { owner, id, invited }) => product.add(owner, id, invited[0]!.person)],
      ]
      for (const [first, second] of twice) {
        await race(driver, {
          set: () => scene(driver, { limit: 5, members: 1, invited: 1 }),
          first,
          second,
          async check(at, one, other) {
            demand(one.ok || other.ok, `two doors for one: ${codeOf(one)}, ${codeOf(other)}`)
            for (const person of [at.strangers[0]!, at.invited[0]!.person]) {
              const rows = await rowsOf(driver, at.id, person)
              demand(rows <= 1, `one person has ${rows} memberships`)
            }
            await demandTrueUsage(driver, at)
          },
        })
      }
    },
  },
  {
    id: 'MUSEUM-10',
    title: 'ten first requests at once all work',
    async run(driver) {
      const at = await scene(driver, { limit: 12 })
      const people = await driver.people(10)
      const answers = await inStep(
        driver,
        people.map((person) => (product) => product.add(at.owner, at.id, person))
      )
      demand(countOf(answers, 'broken') === 0, `${countOf(answers, 'broken')} of ten crash`)
      demand(countOf(answers, 'ok') === 10, `${countOf(answers, 'ok')} of ten work`)
      await demandTrueUsage(driver, at)
    },
  },
]
