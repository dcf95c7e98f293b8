import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, granted, type Answer, type Membership } from './client.ts'
import { takeNone } from './arguments.ts'
import { onceToldToEnd } from './lifetime.ts'
import { startWorker, type LocalWorker } from './local-worker.ts'
import { waitFor } from './wait-for.ts'
import { startReceiver, type WebhookReceiver } from './webhook-receiver.ts'

const SEATS = 5
const PEOPLE = 40
const OPERATOR = 'operator@example.com'
const SECRET = 'whsec_c2VhdGdhdGUtZGVtby1zZWNyZXQtMDAwMDAwMDA='
const SETTLE_SECONDS = 60

type Person = Awaited<ReturnType<typeof signUp>>
type Check = readonly [what: string, expected: string | number, measured: string | number]

const say = (line = '') => console.log(line)

async function main(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'seatgate-demo-'))
  let worker: LocalWorker | undefined
  let receiver: WebhookReceiver | undefined
  async function cleanUp() {
    await worker?.stop()
    await receiver?.stop()
    await rm(directory, { recursive: true, force: true })
  }
  let isEnding = false
  onceToldToEnd((exitCode) => {
    isEnding = true
    void cleanUp().finally(() => process.exit(exitCode))
  })

  try {
    say('Starting a log system that takes webhooks, and the worker …')
    receiver = await startReceiver({ secret: SECRET })
    worker = await startWorker({
      persistTo: directory,
      vars: {
        DEFAULT_SEAT_LIMIT: 'unlimited',
        OPERATOR_EMAILS: OPERATOR,
        AUDIT_WEBHOOK_URL: receiver.url,
        AUDIT_WEBHOOK_SECRET: SECRET,
      },
    })
    const checks = await tellStory(worker.url, receiver)
    say(`\n${table(checks)}\n`)
    const isRight = checks.every(([, expected, measured]) => expected === measured)
    say(isRight ? 'Everything held.' : 'Something did NOT hold.')
    return isRight ? 0 : 1
  } catch (error) {
    if (isEnding) return 1
    if (worker !== undefined) say(`\nThe worker said:\n${worker.output()}\n`)
    throw error
  } finally {
    await cleanUp()
  }
}

async function tellStory(url: string, receiver: WebhookReceiver): Promise<Check[]> {
  say(`Signing up ${PEOPLE} people (hashing a password is slow on purpose) …`)
  const operator = await signUp(url, OPERATOR)
  const people: Person[] = []
  while (people.length < PEOPLE) {
    const next = Array.from({ length: Math.min(8, PEOPLE - people.length) }, (_, index) =>
      signUp(url, `person-${people.length + index + 1}@example.com`)
    )
    people.push(...(await Promise.all(next)))
    say(`  ${people.length} of ${PEOPLE}`)
  }

  const [founder, ...others] = people as [Person, ...Person[]]
  const { id, name } = granted(await founder.api.createOrganization('Analytical Engines'))
  granted(await operator.api.setSeatLimit(id, SEATS))
  say(`The first of them founds ${name}: ${SEATS} seats, and she sits on one.`)

  say(`The other ${others.length} join at the same moment …`)
  const answers = await Promise.all(
    others.map((person) => founder.api.addMember(id, person.user.id))
  )
  const refusals = answers.flatMap((answer) => (answer.ok ? [] : [answer.problem]))
  const clear = refusals.filter(
    ({ status, code, limit }) => status === 409 && code === 'seat_limit_reached' && limit === SEATS
  )
  for (const problem of refusals) {
    if (!clear.includes(problem)) say(`  unexpected answer: ${JSON.stringify(problem)}`)
  }
  const membersAfterRush = await founder.api.members(id)
  const seats = await settledSeats(founder, id)
  say(`  ${membersAfterRush.length} members, ${refusals.length} refusals`)

  const leaver = others.find((_, index) => answers[index]?.ok)
  const refused = others.find((_, index) => !answers[index]?.ok)
  if (leaver === undefined || refused === undefined) throw new Error('nobody in, or nobody refused')
  say(`${leaver.user.email} leaves; ${refused.user.email}, refused a moment ago, tries again …`)
  granted(await leaver.api.removeMember(id, leaver.user.id))
  await admit(founder, id, refused)
  const finalMembers = (await founder.api.members(id)).map(({ userId }) => userId)

  const paid = await tellOfBilling(founder, others)

  say('Waiting for the audit trail to arrive at the log system …')
  const events = await founder.api.audit(id)
  const arrived = () => receiver.deliveries.filter(({ event }) => event.organizationId === id)
  await waitFor(
    `${events.length} audit events`,
    SETTLE_SECONDS,
    () => arrived().length >= events.length || undefined,
    () => `${arrived().length} of them`
  ).catch((error: Error) => say(`  ${error.message}`))
  const sequences = arrived().map(({ event }) => event.sequence)

  return [
    ['members after the rush', SEATS, membersAfterRush.length],
    ['clear refusals', PEOPLE - SEATS, clear.length],
    ['any other answer', 0, refusals.length - clear.length],
    ['seats held, of the limit', `${SEATS} of ${SEATS}`, `${seats.held} of ${seats.limit}`],
    ['seats still reserved', 0, seats.reserved],
    ['members after the change', SEATS, finalMembers.length],
    ['left and gone', 'yes', finalMembers.includes(leaver.user.id) ? 'no' : 'yes'],
    ['refused, then admitted', 'yes', finalMembers.includes(refused.user.id) ? 'yes' : 'no'],
    ['audit events delivered', events.length, sequences.length],
    ['in order, no gap or repeat', `1..${events.length}`, asRange(sequences)],
    ['rightly signed', sequences.length, arrived().filter(({ isSigned }) => isSigned).length],
    ...paid,
  ]
}

/** A second organization, which buys its seats from the provider of development. */
async function tellOfBilling(
  { api }: Person,
  [first, second, third, fourth, late]: readonly Person[]
): Promise<readonly Check[]> {
  const people = { first, second, third, fourth, late }
  if (Object.values(people).includes(undefined)) throw new Error('five people are needed')
  const { id, name } = granted(await api.createOrganization('Difference Engines'))
  const atProvider = async (event: object) => granted(await api.atProvider(id, event))
  const join = async (person: Person | undefined) =>
    codeOf(await api.addMember(id, person?.user.id ?? ''))
  const settled = async () => `${(await settledSeats({ api } as Person, id)).held} members`

  await atProvider({ event: 'checkout_completed', plan: 'team', seats: 2 })
  say(`She founds ${name} too, and buys two seats.`)
  const joined = await join(first)
  const full = await join(second)
  say(`  ${first?.user.email} gets in; ${second?.user.email} does not: ${full}`)

  await atProvider({ event: 'quantity', seats: 4 })
  const next = [await join(second), await join(third)]
  say(`She buys two seats more, and the next two get in.`)

  await atProvider({ event: 'payment_failed' })
  const { status, reason } = await api.billing(id)
  const inGrace = await settled()
  say(`The payment fails: ${status}, ${reason}; ${inGrace} stay.`)

  await atProvider({ event: 'advance', days: 8 })
  const after = await api.billing(id)
  const stopped = await join(fourth)
  const thrownOut = await settled()
  say(`Eight days later the grace is over (${after.reason}): ${stopped}; ${thrownOut} stay.`)

  await atProvider({ event: 'payment_succeeded' })
  await atProvider({ event: 'quantity', seats: 5 })
  const again = await join(late)
  say(`It is paid, with a seat more: ${late?.user.email} gets in.`)

  return [
    ['the bought seat is taken', 'in', joined],
    ['without a seat', 'seat_limit_reached', full],
    ['with two seats more', 'in in', next.join(' ')],
    ['the payment fails', 'past_due granted_by_grace', `${status} ${reason}`],
    ['members in the grace', '4 members', inGrace],
    ['growth after the grace', 'seat_limit_reached', stopped],
    ['members after the grace', '4 members', thrownOut],
    ['paid again', 'in', again],
  ]
}

function codeOf(answer: Answer<unknown>): string {
  return answer.ok ? 'in' : answer.problem.code
}

async function signUp(url: string, email: string) {
  const { user, token } = granted(await connect(url).signUp(email))
  return { user, api: connect(url, token) }
}

/** Seats are confirmed off the critical path: what is reserved right after a rush is held soon. */
function settledSeats(founder: Person, organizationId: string) {
  return waitFor('every reserved seat to be held', SETTLE_SECONDS, async () => {
    const seats = await founder.api.seats(organizationId)
    return seats.reserved === 0 ? seats : undefined
  })
}

/** A seat is freed after the membership is gone, never before: it may take a moment. */
function admit(founder: Person, organizationId: string, person: Person): Promise<Membership> {
  let last: Answer<Membership> | undefined
  return waitFor(
    `a seat for ${person.user.email}`,
    SETTLE_SECONDS,
    async () => {
      last = await founder.api.addMember(organizationId, person.user.id)
      return last.ok ? last.value : undefined
    },
    () => last
  )
}

function asRange(sequences: readonly number[]): string {
  const isWhole = sequences.every((sequence, index) => sequence === index + 1)
  return isWhole ? `1..${sequences.length}` : sequences.join(',')
}

function table(checks: readonly Check[]): string {
  const rows = checks.map(([what, expected, measured]) => [
    what,
    String(expected),
    String(measured),
    expected === measured ? 'ok' : 'WRONG',
  ])
  const cells = [['', 'expected', 'measured', ''], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]!.length)))
  return cells
    .map(([what = '', expected = '', measured = '', verdict = '']) =>
      [
        what.padEnd(widths[0]!),
        expected.padStart(widths[1]!),
        measured.padStart(widths[2]!),
        verdict,
      ].join('   ')
    )
    .map((line) => `  ${line.trimEnd()}`)
    .join('\n')
}

takeNone('npm run demo')
try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
