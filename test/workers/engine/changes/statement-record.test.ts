/**
 * What each change asks of the stores, compared with a record. A change of the code that is to leave the
 * statements as they are leaves the record as it is. Where they are meant to change:
 * `npx vitest run --project workers test/workers/engine/changes/statement-record.test.ts -u`
 *
 * @module
 */
import { expect, it } from 'vitest'
import type { Around, Trip } from '../../../../bench/meter.ts'
import {
  mailbox,
  kitWithHooks,
  EVERY_CHANGE,
  newTeam,
  type ChangeCase,
  codeOf,
  enforcing,
  type Provider,
  type Kit,
  type KitOptions,
} from '../../../kit/index.ts'

interface Variant {
  readonly title: string
  readonly provider: Provider
  readonly kit: (options: KitOptions) => Kit
}

const VARIANTS: readonly Variant[] = [
  ...enforcing.map((provider) => ({
    title: `${provider} seats`,
    provider,
    kit: (options: KitOptions) => kitWithHooks({ ...options, hooks: {} }),
  })),
  {
    title: 'd1 seats, with every hook, a mailer and a sink',
    provider: 'd1',
    kit: (options) =>
      kitWithHooks({
        ...options,
        ...mailbox().options,
        sinks: [{ id: 'sink', deliver: async () => ({ outcome: 'delivered' }) }],
      }),
  },
]

/** What a change answers, and its trips in the order in which they began, work after the answer included. */
async function recordOf({ provider, kit }: Variant, { act }: ChangeCase) {
  const team = await newTeam(provider)
  const trips: Trip[] = []
  const around: Around = (trip, run) => {
    trips.push(trip)
    return run()
  }
  const recorded = kit({ provider, around })
  const answer = codeOf(await act(recorded.seatgate, team))
  await recorded.settled()
  return { answer, trips }
}

/** A statement by a part of its hash, so that a text that many changes share stands once. */
class Statements {
  readonly #texts = new Map<string, string>()

  async nameOf(sql: string): Promise<string> {
    // Whatever the tables' prefix is.
    const text = sql.replaceAll(/\bseatgate_/g, '').replaceAll(/\s+/g, ' ')
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
    const name = [...new Uint8Array(digest, 0, 4)].map((byte) => byte.toString(16).padStart(2, '0'))
    this.#texts.set(name.join(''), text)
    return name.join('')
  }

  lines(): string[] {
    return [...this.#texts].map(([name, text]) => `${name} ${text}`).sort()
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'real'
  if (typeof value === 'string') return /^[[{]/.test(value) ? 'json' : 'text'
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? 'blob' : typeof value
}

/** Types in sequence, with how often each follows itself. */
function shapeOf(values: readonly unknown[]): string {
  const runs: { type: string; count: number }[] = []
  for (const type of values.map(typeOf)) {
    const last = runs.at(-1)
    if (last?.type === type) last.count += 1
    else runs.push({ type, count: 1 })
  }
  return runs.map(({ type, count }) => (count > 1 ? `${type}*${count}` : type)).join(', ')
}

async function lineOf(statements: Statements, { store, asked, bound }: Trip): Promise<string> {
  if (store !== 'd1') return `${store}: ${asked.join('; ')}`
  const each = asked.map(
    async (sql, index) => `${await statements.nameOf(sql)}(${shapeOf(bound?.[index] ?? [])})`
  )
  return `d1: ${(await Promise.all(each)).join('; ')}`
}

it('sends the recorded statements, in their order, for every change', async () => {
  const statements = new Statements()
  const record: string[] = []
  for (const variant of VARIANTS) {
    for (const mutator of EVERY_CHANGE) {
      const { answer, trips } = await recordOf(variant, mutator)
      record.push('', `## ${mutator.name}, ${variant.title}: ${answer}`)
      for (const trip of trips) record.push(await lineOf(statements, trip))
    }
  }
  const text = [...record.slice(1), '', '## Statements', ...statements.lines(), ''].join('\n')
  await expect(text).toMatchFileSnapshot('./statement-record.txt')
})
