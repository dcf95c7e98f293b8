import { describe, expect, it } from 'vitest'
import { HOOKS } from '../../../../src/engine/model/hooks.ts'
import {
  addMember,
  allow,
  createOrganization,
  createSeatgate,
  d1Seats,
  prepareOrganization,
  refuse,
  type DraftAnswer,
  type SeatgateOptions,
} from '../../../../src/index.ts'
import {
  db,
  everything,
  freshSlug,
  unwrap,
  codeOf,
  createKit,
  newUser,
} from '../../../kit/index.ts'

const configured = (options: object) => () =>
  createSeatgate({
    database: db,
    seats: d1Seats(),
    sessions: 'none',
    ...options,
  } as SeatgateOptions)

const names = Object.entries(HOOKS)
const outside = names.flatMap(([name, { inBatch }]) => (inBatch ? [] : [name]))
const inside = names.flatMap(([name, { inBatch }]) => (inBatch ? [name] : []))

describe('the hooks of a configuration', () => {
  it.each(outside)('%s is a function or undefined [HOOK-22]', (name) => {
    for (const entry of ['hook', 1, true, {}, [() => allow()]]) {
      expect(configured({ hooks: { [name]: entry } })).toThrow(TypeError)
      expect(configured({ hooks: { [name]: entry } })).toThrow(`hooks.${name}`)
    }
    for (const entry of [undefined, null, () => allow(), async () => allow()]) {
      expect(configured({ hooks: { [name]: entry } })).not.toThrow()
    }
  })

  it.each([
    'beforeAddMembers',
    'BeforeAddMember',
    'beforeaddmember',
    'afterSuspendMember',
    'beforeRestoreMember',
    'toString',
    'constructor',
    '__proto__ ',
    '',
  ])('"%s" is refused: a policy under it would never be asked [HOOK-22]', (name) => {
    const options = { hooks: { [name]: () => allow() } }
    expect(configured(options)).toThrow(TypeError)
    expect(configured(options)).toThrow(`createSeatgate: there is no option "hooks.${name}".`)
  })

  it('belong to the batch or run outside of it [HOOK-12 HOOK-22]', () => {
    expect(outside).toHaveLength(48)
    expect(inside).toHaveLength(4)
    const hooks = Object.fromEntries(names.map(([name]) => [name, () => allow()]))
    const made = configured({ hooks })()
    expect([made.hooks, made.lifecycle]).toEqual([hooks, hooks])
  })

  it('may be methods of a class [HOOK-22]', async () => {
    class Policy {
      beforeCreateOrganization() {
        return refuse('no')
      }
    }
    const { seatgate } = createKit({ hooks: new Policy() })
    const made = await createOrganization(seatgate, { caller: { userId: 'ada' } }, { name: 'New' })
    expect(codeOf(made)).toBe('hook_refused')
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', null])(
    'wait for an answer for some time: %s is no time [HOOK-10]',
    (deadlineSeconds) => {
      const options = { hooks: { deadlineSeconds } }
      // Left out it is the default, which null stands for too.
      if (deadlineSeconds === null) expect(configured(options)).not.toThrow()
      else expect(configured(options)).toThrow(/hooks\.deadlineSeconds/)
    }
  )
})

describe('an answer that is no answer', () => {
  const rubbish: [string, unknown][] = [
    ['a draft that is a text', { ok: true, draft: 'New' }],
    ['a draft that is null', { ok: true, draft: null }],
    ['a draft that is a list', { ok: true, draft: [] }],
    ['a draft without a name', { ok: true, draft: { slug: 'fine-slug' } }],
    ['a draft and a no', { ok: false, draft: { name: 'New' } }],
    ['a draft alone', { draft: { name: 'New' } }],
    ['a reason that is no text', { ok: false, reason: 7 }],
    ['a detail that is no text', { ok: false, reason: 'no', detail: { why: 'because' } }],
    ['the number one', 1],
    ['a text', 'ok'],
    ['a function', () => allow()],
  ]

  it.each(rubbish)('refuses with hook_failed: %s [HOOK-10 HOOK-4]', async (_what, answer) => {
    const reports: string[] = []
    const { seatgate } = createKit({
      report: ({ event }) => reports.push(event),
      hooks: { beforeCreateOrganization: () => answer as DraftAnswer },
    })
    const caller = { userId: await newUser() }
    const rows = await everything()
    const failed = { ok: false, error: { code: 'hook_failed' } }
    const draft = { name: 'New', slug: freshSlug() }
    expect(await createOrganization(seatgate, { caller }, draft)).toEqual(failed)
    expect(await prepareOrganization(seatgate, { caller }, draft)).toEqual(failed)
    expect(reports).toEqual(['hook_failed', 'hook_failed'])
    expect(await everything()).toEqual(rows)
  })

  it('makes no change by a late answer [HOOK-10]', async () => {
    const late = Promise.withResolvers<ReturnType<typeof allow>>()
    const { seatgate } = createKit({
      hookDeadlineSeconds: 0.05,
      hooks: { beforeAddMember: () => late.promise },
    })
    const organization = await createKit().organization()
    const rows = await everything()
    const input = { userId: await newUser(), role: 'member' }
    const answer = await addMember(seatgate, organization.as(organization.owner), input)
    expect(codeOf(answer)).toBe('hook_failed')
    late.resolve(allow())
    await late.promise
    expect((await everything())['seatgate_memberships']).toEqual(rows['seatgate_memberships'])
  })

  it('a draft has no more fields than a draft may have [HOOK-4]', async () => {
    const { seatgate } = createKit({
      hooks: {
        beforeCreateOrganization: () => {
          const draft = { name: 'New', slug: freshSlug(), personal: true, id: 'mine' }
          return { ok: true, draft: { ...draft, ownerUserId: 'somebody' } }
        },
      },
    })
    const caller = { userId: await newUser() }
    const made = unwrap(await createOrganization(seatgate, { caller }, { name: 'x' }))
    expect(made).toMatchObject({ name: 'New', personal: false, founderUserId: caller.userId })
    expect(made.id).not.toBe('mine')
  })

  it('a refusal under an operation id stays the answer to it [HOOK-1]', async () => {
    let refusing = true
    const { seatgate } = createKit({
      hooks: { beforeAddMember: () => (refusing ? refuse('not_yet') : allow()) },
    })
    const organization = await createKit().organization()
    const input = { userId: await newUser(), role: 'member' }
    const key = { operationId: crypto.randomUUID() }
    const add = (options = {}) =>
      addMember(seatgate, organization.as(organization.owner), input, options)
    const refused = { ok: false, error: { code: 'hook_refused', reason: 'not_yet' } }
    expect(await add(key)).toEqual(refused)
    refusing = false
    expect(await add(key)).toEqual(refused)
    expect(codeOf(await add())).toBe('ok')
  })
})
