import { describe, expect, it } from 'vitest'
import {
  createOrganization,
  fetchOrganization,
  restoreOrganization,
  softDeleteOrganization,
  updateSlug,
  type OrganizationScope,
  type Result,
  type Seatgate,
} from '../../../../src/index.ts'
import {
  asUser,
  embedded,
  actionsOf,
  everything,
  freshSlug,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  newUser,
  operator,
  PASSWORD,
  type TestOrganization,
  atScale,
} from '../../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit
const newKey = () => ({ operationId: crypto.randomUUID() })

interface Way {
  readonly name: string
  readonly action: string
  act(
    seatgate: Seatgate,
    scope: OrganizationScope,
    organization: TestOrganization,
    over: object,
    options: { operationId: string }
  ): Promise<Result<object>>
}

const target = new Map<string, string>()
const ways: Way[] = [
  {
    name: 'updateSlug',
    action: 'organization.slug_change',
    act(seatgate, scope, { id, slug }, over, options) {
      const to = target.get(id) ?? freshSlug()
      target.set(id, to)
      const input = { slug: to, confirmSlug: slug, password: PASSWORD, ...over }
      return updateSlug(seatgate, scope, input, options)
    },
  },
  {
    name: 'softDeleteOrganization',
    action: 'organization.delete',
    act: (seatgate, scope, _organization, over, options) =>
      softDeleteOrganization(
        seatgate,
        scope,
        { confirmName: 'Test', password: PASSWORD, ...over },
        options
      ),
  },
]

const recordOf = ({ operationId }: { operationId: string }) =>
  testEnv.DB.prepare('SELECT * FROM seatgate_operations WHERE id = ?').bind(operationId).first()

describe.each(ways)('$name under an Idempotency-Key', ({ act, action }) => {
  async function scene() {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const key = newKey()
    const ask = (over = {}, by: Seatgate = seatgate, of = scope) =>
      act(by, of, organization, over, key)
    const times = async () =>
      (await actionsOf(organization.id)).filter((one) => one === action).length
    return { organization, scope, key, ask, times }
  }

  it('answers the first time’s answer again, and does it once', async () => {
    const { ask, times } = await scene()
    const first = unwrap(await ask())
    const rows = await everything()
    expect(unwrap(await ask())).toEqual(first)
    expect(await everything()).toEqual(rows)
    expect(await times()).toBe(1)
  })

  it('repeats its answer after the organization was renamed or deleted', async () => {
    const { organization, ask, times } = await scene()
    const bySlug = { caller: { userId: organization.owner }, organization: organization.slug }
    const first = unwrap(await ask({}, seatgate, bySlug))
    expect(unwrap(await ask({}, seatgate, bySlug))).toEqual(first)
    expect(await times()).toBe(1)
  })

  it('runs once if it is sent five times at once, in 10 rounds', async () => {
    for (let round = 0; round < atScale({ share: 3, thorough: 10 }); round++) {
      const { ask, times } = await scene()
      const far = createKit({ delayMs: round % 3 })
      const answers = await Promise.all([1, 2, 3, 4, 5].map(() => ask({}, far.seatgate)))
      const [first] = answers
      for (const one of answers) expect(one).toEqual(first)
      expect(first!.ok).toBe(true)
      expect(await times()).toBe(1)
    }
  })

  it('does not remember a wrong password, nor a check that failed', async () => {
    const { key, ask, times } = await scene()
    expect(codeOf(await ask({ password: 'wrong' }))).toBe('invalid_password')
    expect(await recordOf(key)).toBeNull()
    const broken = createKit({
      verifyPassword() {
        throw new Error('down')
      },
    })
    expect(codeOf(await ask({}, broken.seatgate))).toBe('unavailable')
    expect(await recordOf(key)).toBeNull()
    expect(codeOf(await ask())).toBe('ok')
    expect(await times()).toBe(1)
  })

  it('does not remember a wrong step-up', async () => {
    const { key, ask } = await scene()
    const stepped = createKit({ stepUp: (_userId, proof) => proof === '123456' })
    const wrong = await ask({ password: undefined, stepUpProof: '1' }, stepped.seatgate)
    expect([codeOf(wrong), await recordOf(key)]).toEqual(['step_up_failed', null])
    const right = await ask({ password: undefined, stepUpProof: '123456' }, stepped.seatgate)
    expect(codeOf(right)).toBe('ok')
  })

  it('does not remember that the password was forgotten', async () => {
    const { ask } = await scene()
    expect(codeOf(await ask({ password: undefined }))).toBe('validation_error')
    expect(codeOf(await ask())).toBe('ok')
  })

  it('remembers a refusal that is one: the same key is refused again, another is not', async () => {
    const { organization, scope, ask } = await scene()
    const stranger = { ...scope, caller: { userId: await newUser() } }
    const wrong = { confirmSlug: 'wrong', confirmName: 'wrong' }
    expect(codeOf(await ask(wrong))).toBe('validation_error')
    expect(codeOf(await ask())).toBe('idempotency_mismatch')
    expect(codeOf(await ask({}, seatgate, stranger))).toBe('organization_not_found')
    const other = await act(seatgate, scope, organization, {}, newKey())
    expect(codeOf(other)).toBe('ok')
  })

  it('is the caller’s own: another’s same key is another operation', async () => {
    const { organization, scope, key, ask } = await scene()
    unwrap(await ask())
    const stranger = { ...scope, caller: { userId: await newUser() } }
    const rows = await everything()
    expect(codeOf(await act(seatgate, stranger, organization, {}, key))).toBe(
      'organization_not_found'
    )
    // What a stranger is refused is not stored.
    expect(await everything()).toEqual(rows)
  })

  it('does not keep the password, and its digest does not change with it', async () => {
    const digests = new Set<unknown>()
    const passwords = ['a first secret', 'another secret', 'x'.repeat(1024)]
    const { organization, scope, key } = await scene()
    const permissive = createKit({ verifyPassword: () => true })
    for (const password of passwords) {
      // The same question each time: what was answered before is taken back by hand.
      await testEnv.DB.batch([
        testEnv.DB.prepare('DELETE FROM seatgate_operations WHERE id = ?').bind(key.operationId),
        testEnv.DB.prepare(
          'UPDATE seatgate_organizations SET slug = ?, deleted_at = NULL WHERE id = ?'
        ).bind(organization.slug, organization.id),
      ])
      unwrap(await act(permissive.seatgate, scope, organization, { password }, key))
      const record = (await recordOf(key))!
      digests.add(record['digest'])
      const text = JSON.stringify(await everything())
      for (const form of await formsOf(password)) expect(text).not.toContain(form)
      const again = await act(permissive.seatgate, scope, organization, { password: 'other' }, key)
      expect(JSON.parse(record['outcome'] as string)).toEqual(again)
    }
    expect(digests.size).toBe(1)
  })
})

describe('restoreOrganization under an Idempotency-Key', () => {
  it('answers again and restores once', async () => {
    const { id, owner, as } = await kit.organization()
    const input = { confirmName: 'Test', password: PASSWORD }
    unwrap(await softDeleteOrganization(seatgate, as(owner), input))
    const key = newKey()
    const restore = () => restoreOrganization(seatgate, { caller: operator }, id, key)
    const first = unwrap(await restore())
    unwrap(await softDeleteOrganization(seatgate, as(owner), input))
    expect(unwrap(await restore())).toEqual(first)
    expect(codeOf(await fetchOrganization(seatgate, id))).toBe('organization_not_found')
    const other = restoreOrganization(seatgate, { caller: operator }, crypto.randomUUID(), key)
    expect(codeOf(await other)).toBe('idempotency_mismatch')
  })
})

describe('createOrganization under an Idempotency-Key', () => {
  it('with a slug that is taken is refused under the key, and made under the next one', async () => {
    const caller = { userId: await newUser() }
    const { id, slug, owner, as } = await kit.organization()
    const key = newKey()
    const create = (options = key) =>
      createOrganization(seatgate, { caller }, { name: 'Acme', slug }, options)
    expect(codeOf(await create())).toBe('validation_error')
    const input = { confirmName: 'Test', password: PASSWORD }
    unwrap(await softDeleteOrganization(seatgate, as(owner), input))
    expect(codeOf(await create())).toBe('validation_error')
    const made = unwrap(await create(newKey()))
    expect(made.id).not.toBe(id)
  })
})

describe('POST /organizations/:org/slug with an Idempotency-Key', () => {
  it('answers the double submit of a form with the same organization', async () => {
    const { id, slug, owner } = await kit.organization()
    const client = embedded()
    const to = freshSlug()
    const send = (password: string) =>
      client.post(
        `/organizations/${slug}/slug`,
        { slug: to, confirmSlug: slug, password },
        asUser({ userId: owner }),
        { 'idempotency-key': `form-${id}` }
      )
    const wrong = await send('wrong')
    expect([wrong.status, (await wrong.json<{ code: string }>()).code]).toEqual([
      403,
      'invalid_password',
    ])
    const [first, second] = [await send(PASSWORD), await send(PASSWORD)]
    expect([first.status, second.status]).toEqual([200, 200])
    const body = await first.json()
    expect(body).toMatchObject({ id, slug: to })
    expect(await second.json()).toEqual(body)
  })
})

/** What somebody might have stored of a secret. */
async function formsOf(secret: string): Promise<string[]> {
  const bytes = new TextEncoder().encode(secret)
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const hex = (of: Uint8Array) =>
    Array.from(of, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [secret, btoa(secret), hex(bytes), hex(hash), btoa(String.fromCharCode(...hash))]
}
