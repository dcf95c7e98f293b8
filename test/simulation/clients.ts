/**
 * The people: each does one thing after the other, and starts again where their Worker died.
 *
 * @module
 */
import { StoreUnavailable, type Result } from '../../src/index.ts'
import { readFacts } from './access/facts.ts'
import type { AccessHost } from './access/host.ts'
import { createEncounters } from './encounters.ts'
import type { Surroundings } from './network.ts'
import type { Deed } from './operations/deed.ts'
import { drawDeed } from './operations/index.ts'
import type { OrganizationView, Registry } from './people.ts'
import type { Worker, World } from './world.ts'

/** An answer under an operation id, which must stay the answer. */
export interface Promised {
  readonly deed: Deed
  readonly operationId: string
  readonly answer: string
}

export interface Crowd {
  /** Operations begun so far. */
  begun(): number
  /** Who is in the middle of something. */
  busy(): number
  readonly promised: Promised[]
  /** Nothing that was answered before holds any more. */
  forget(): void
  readonly violations: string[]
  /** Lets everybody go home after what they are doing. */
  close(): void
}

export interface CrowdOptions {
  readonly surroundings: Surroundings
  readonly world: World
  readonly registry: Registry
  readonly userIds: readonly string[]
  /** Whether people may join without being invited. */
  readonly joining: boolean
  /** The further ways in; null: there are none. */
  readonly access: AccessHost | null
  readonly clients: number
  readonly operations: number
}

// Seats change hands: what is not to be had now may be a second later.
const AGAIN: ReadonlySet<string> = new Set(['unavailable', 'seats_unavailable', 'crashed'])

export function gatherCrowd(options: CrowdOptions): Crowd {
  const { surroundings, world, registry, userIds, joining, access, clients, operations } = options
  const { scheduler, random, sometimes, trace } = surroundings
  const promised: Promised[] = []
  const violations: string[] = []
  const tokens = new Map<string, string>()
  const secrets = new Map<string, string>()
  const encounters = createEncounters(surroundings, registry)
  let begun = 0
  let busy = 0
  let closed = false

  const pause = (milliseconds: number) =>
    new Promise<void>((resolve) => scheduler.after(milliseconds, resolve))

  const client = async (name: string) => {
    let worker = world.startWorker(name)
    while (begun < operations && !closed) {
      const { weather } = surroundings
      // Who meets an outage waits for it to pass.
      const { databaseIsOut, stopped } = surroundings
      const patience = databaseIsOut || stopped ? 60_000 : weather.thinking
      await pause(random.between(1, patience))
      if (closed) break
      if (surroundings.stopped) continue
      const organization = place()
      if (organization === null) continue
      begun += 1
      const deed = draw(organization)
      const operationId = deed.repeatable && random.chance(0.35) ? `op-${name}-${begun}` : undefined
      for (let attempt = 1; attempt <= 3; attempt++) {
        if (!worker.isolate.alive) worker = world.startWorker(name)
        const code = await perform(worker, deed, operationId, organization, attempt)
        if (code === 'crashed') sometimes('a worker crashed in the middle')
        if (operationId === undefined || !AGAIN.has(code)) break
        sometimes('an operation was answered again')
        await pause(random.between(100, 20_000))
        if (closed || surroundings.stopped) break
      }
    }
  }

  const place = (): OrganizationView | null => {
    const ids = registry.ids()
    // The first organization is where most of it happens.
    const id = random.chance(0.75) ? ids[0] : random.pick(ids)
    const view = id === undefined ? null : registry.view(id)
    return view ?? registry.view(ids[0] ?? '')
  }

  const draw = (organization: OrganizationView): Deed =>
    drawDeed({
      random,
      organization,
      joining,
      ways: access && {
        host: access,
        facts: readFacts(world.connection, organization.id, access),
        secrets,
      },
      userIds: [...userIds, ...registry.madeAgain()],
      isTaken: registry.isTaken,
      pointerOf: registry.pointerOf,
      now: scheduler.now(),
      tokens,
      post: surroundings.post,
      fresh: () => `f${begun}x${random.below(1e6)}`,
    })

  const firstAsked = new Map<string, number>()

  const perform = async (
    worker: Worker,
    deed: Deed,
    operationId: string | undefined,
    organization: OrganizationView,
    attempt: number
  ): Promise<string> => {
    const { name } = deed
    trace.note(`${worker.isolate.name} ${name} by ${deed.actor} ${operationId ?? ''}`)
    busy += 1
    // What is asked again may be answered as it was then.
    const asked = firstAsked.get(operationId ?? '') ?? scheduler.now()
    if (operationId !== undefined) firstAsked.set(operationId, asked)
    const ended = encounters.began(name, organization)
    const died = new Promise<'crashed'>((resolve) => {
      worker.isolate.died = () => resolve('crashed')
    })
    const acting = deed
      .act(worker.seatgate, operationId === undefined ? {} : { operationId })
      .catch(unanswered)
    const answer = await Promise.race([acting, died])
    busy -= 1
    ended()
    const code = answer === 'crashed' ? answer : answer.ok ? 'ok' : answer.error.code
    trace.note(`${worker.isolate.name} ${name}: ${code}`)
    if (answer === 'crashed') return code
    if (answer.ok) keepTokens(answer)
    else {
      const { organizationId: id = organization.id } = deed
      violations.push(...encounters.refused(name, answer.error, { id }, asked))
    }
    if (answer.ok && attempt > 1) sometimes('a repeated operation had landed the first time')
    if (answer.ok) encounters.succeeded(name)
    if (answer.ok && operationId !== undefined) {
      promised.push({ deed, operationId, answer: JSON.stringify(answer) })
    }
    return code
  }

  // What only reads throws if D1 does not answer. Nothing else throws.
  const unanswered = (error: unknown): Result<never> => {
    if (!(error instanceof StoreUnavailable)) violations.push(`threw ${(error as Error).stack}`)
    return { ok: false, error: { code: 'unavailable' } }
  }

  const keepTokens = (answer: Result<unknown>) => {
    const value = answer.ok ? (answer.value as { id?: string; token?: string } | null) : null
    if (value?.id && value.token) tokens.set(value.id, value.token)
  }

  const crowd: Crowd = {
    begun: () => begun,
    busy: () => busy,
    promised,
    violations,
    forget() {
      promised.length = 0
    },
    close() {
      closed = true
    },
  }
  for (let index = 0; index < clients; index++) void client(`client ${index + 1}`)
  return crowd
}
