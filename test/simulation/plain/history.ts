/**
 * A history without faults, in which people do one thing after the other: the same operations, inputs,
 * times and ids wherever it runs. What was answered, and what is stored in the end, are its lines.
 *
 * @module
 */
import { createOrganization, type Result } from '../../../src/index.ts'
import type { FullSeatgate } from '../../kit/flat-options.ts'
import { violations, type LedgerState, type StoredState } from '../../../src/testing/index.ts'
import { readFacts } from '../access/facts.ts'
import { seatTypesOf } from '../access/host.ts'
import { addressOf, sessionOf } from '../operations/deed.ts'
import { drawDeed } from '../operations/index.ts'
import { createRegistry } from '../people.ts'
import { createRandom } from '../random.ts'
import { readKnown, newlyKnown } from '../delegation/known.ts'
import { wrongNow } from '../delegation/now.ts'
import type { Faults } from './faults.ts'
import { accessOf, FIRST_WITH_FAULTS } from './host.ts'
import { reading, type Fetch } from './reading.ts'

/** Where a history runs. */
export interface Ground {
  readonly seatgate: FullSeatgate
  readonly fetch: Fetch
  /** On the way to both stores. */
  readonly faults: Faults
  /** From here on it is this time, and what is due has happened. */
  turnTo(time: number): Promise<void>
  /** Waits for an answer, and for the work after it. */
  settled<T>(answer: Promise<T>): Promise<T>
  stored(organizationId: string): Promise<StoredState>
  ledger(organizationId: string): Promise<LedgerState | null>
}

export const BEGINNING = Date.UTC(2031, 0, 1)

const PEOPLE = 12
// Until then the alarms have settled what nobody has confirmed.
const SETTLED_MS = 600_000

export async function livePlainly(
  ground: Ground,
  seed: number,
  operations: number
): Promise<readonly string[]> {
  const { seatgate, fetch, faults } = ground
  const isFaulty = seed >= FIRST_WITH_FAULTS
  const random = createRandom(seed)
  const access = accessOf(seed)
  const lines: string[] = []
  const tokens = new Map<string, string>()
  const secrets = new Map<string, string>()
  let time = BEGINNING
  const userIds = Array.from({ length: PEOPLE }, (_, index) => `user-${index + 1}`)
  for (const [index, id] of userIds.entries()) {
    const verified = index % 4 === 3 ? null : 1
    await fetch(
      `INSERT INTO users (id, email, password_hash, email_verified_at, created_at)
       VALUES (?, ?, 'none', ?, 0)`,
      [id, addressOf(id), verified]
    )
    await fetch('INSERT INTO seatgate_sessions VALUES (?, ?, NULL, 0, 0, 0)', [sessionOf(id), id])
  }
  const caller = { userId: userIds[0]! }
  const founded = createOrganization(seatgate, { caller }, { name: 'First', slug: 'first' })
  await ground.settled(founded)

  const organizations = async () => {
    const rows = await fetch('SELECT id FROM seatgate_organizations ORDER BY id', [])
    return rows.map(({ id }) => String(id))
  }

  for (let number = 1; number <= operations; number++) {
    time += Math.round(random.between(100, 600_000))
    await ground.turnTo(time)
    const ids = await organizations()
    const id = (random.chance(0.75) ? ids[0] : random.pick(ids)) ?? ''
    const now = () => time
    const organization = await reading(fetch, (store) => createRegistry(store, now).view(id))
    const facts = await reading(fetch, (store) => readFacts(store, id, access))
    const accounts = await fetch('SELECT id, email FROM users ORDER BY id', [])
    const sessions = await fetch(
      'SELECT user_id, active_organization_id AS pointer FROM seatgate_sessions',
      []
    )
    const again = accounts
      .map((account) => String(account['id']))
      .filter((one) => one.includes('.'))
    const deed = drawDeed({
      random,
      organization: organization!,
      joining: true,
      ways: { host: access, facts, secrets },
      userIds: [...userIds, ...again],
      isTaken: (email) => accounts.some((account) => account['email'] === email),
      pointerOf: (userId) =>
        (sessions.find((session) => session['user_id'] === userId)?.['pointer'] ?? null) as
          | string
          | null,
      now: time,
      tokens,
      post: { deliver() {}, read: () => undefined, believe() {}, unproven: () => [] },
      fresh: () => `f${number}x${random.below(1e6)}`,
    })
    const isNamed = deed.repeatable && random.chance(isFaulty ? 0.7 : 0.2)
    const options = isNamed ? { operationId: `op-${number}` } : {}
    for (let attempt = 1; attempt <= 3; attempt++) {
      const fault = isFaulty ? ` (${faults.arm(random)})` : ''
      const answer = await ground.settled(
        deed.act(seatgate, options).catch((error: Error) => `threw ${error.message}`)
      )
      await ground.settled(faults.arrive())
      keep(tokens, answer)
      lines.push(`${number} ${deed.name} by ${deed.actor}${fault}: ${told(answer)}`)
      // Who was not answered asks again.
      if (!isFaulty || !isNamed || !/^\w*unavailable$/.test(codeOf(answer))) break
    }
  }
  if (isFaulty) time += SETTLED_MS
  await ground.turnTo(time)
  for (const id of await organizations()) {
    const { epoch: _epoch, ...stored } = await ground.stored(id)
    for (const [what, rows] of Object.entries(stored)) {
      for (const row of Array.isArray(rows) ? rows : [rows]) {
        lines.push(brief(`${id} ${what}: ${JSON.stringify(row, withoutSecrets)}`))
      }
    }
    const ledger = await ground.ledger(id)
    const { version, limit_seats, held, reserved, seats } = ledger ?? {}
    lines.push(`${id} ledger: ${JSON.stringify({ version, limit_seats, held, reserved, seats })}`)
    if (!access.delegation) continue
    const known = await reading(fetch, (store) => readKnown(store, id, access, newlyKnown(), time))
    const { own, version: roles, groups, impersonations } = known.delegation
    const there = { own, roles, groups: [...groups], impersonations: [...impersonations] }
    lines.push(`${id} delegation: ${JSON.stringify(there)}`)
    const wrong = [
      ...violations(
        { ...stored, epoch: _epoch, ledger },
        {
          quiet: false,
          usedWhenLowered: Infinity,
          seatTypes: seatTypesOf(access),
        }
      ),
      ...wrongNow(known, access.delegation, time),
    ]
    lines.push(`${id} violations: ${JSON.stringify(wrong)}`)
  }
  return lines
}

function keep(tokens: Map<string, string>, answer: Result<unknown> | string): void {
  if (typeof answer === 'string' || !answer.ok) return
  const value = answer.value as { id?: string; token?: string } | null
  if (value?.id && value.token) tokens.set(value.id, value.token)
}

function told(answer: Result<unknown> | string): string {
  if (typeof answer === 'string') return answer
  const value = answer.ok ? answer.value : answer.error
  return brief(`${answer.ok ? 'ok' : answer.error.code} ${JSON.stringify(value, withoutSecrets)}`)
}

function codeOf(answer: Result<unknown> | string): string {
  return typeof answer === 'string' || answer.ok ? '' : answer.error.code
}

const SHOWN = 140

/** A text, of which only the beginning is shown if it is long, with a hash of all of it. */
function brief(text: string): string {
  if (text.length <= SHOWN) return text
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193)
  return `${text.slice(0, SHOWN)}… ${(hash >>> 0).toString(16)}`
}

const SECRETS: ReadonlySet<string> = new Set([
  'token',
  'mailToken',
  'key',
  'start',
  'salt',
  'digest',
  'cursor',
])

// What is drawn from real chance differs.
function withoutSecrets(name: string, value: unknown): unknown {
  return SECRETS.has(name) && typeof value === 'string' ? '…' : value
}
