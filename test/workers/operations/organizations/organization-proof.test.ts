import { describe, expect, it } from 'vitest'
import { passwordCheck } from '../../../../host/identity/routes.ts'
import { seatgateRouter } from '../../../../src/hono/index.ts'
import {
  softDeleteOrganization,
  transferOwnership,
  updateSlug,
  type Result,
} from '../../../../src/index.ts'
import {
  type FlatOptions,
  type FullSeatgate,
  byName,
  db,
  seatgateWith,
  signUp,
  everything,
  freshSlug,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  join,
  PASSWORD,
  type TestOrganization,
  shareOf,
} from '../../../kit/index.ts'

type Proof = { password?: unknown; stepUpProof?: unknown }
type Team = TestOrganization & { readonly heir: string }
type Act = (s: FullSeatgate, organization: Team, proof: Proof) => Promise<Result<unknown>>

const acts: [string, Act][] = [
  [
    'updateSlug',
    (seatgate, { slug, owner, as }, proof) =>
      updateSlug(seatgate, as(owner), { slug: freshSlug(), confirmSlug: slug, ...proof } as never),
  ],
  [
    'softDeleteOrganization',
    (seatgate, { owner, as }, proof) =>
      softDeleteOrganization(seatgate, as(owner), { confirmName: 'Test', ...proof } as never),
  ],
  [
    'transferOwnership (A3)',
    (seatgate, { owner, heir, as }, proof) =>
      transferOwnership(seatgate, as(owner), { userId: heir, ...proof } as never),
  ],
]

const both = {
  verifyPassword: (_userId: string, password: string) => password === PASSWORD,
  stepUp: (_userId: string, proof: string) => proof === '123456',
}
const passwordOnly = { verifyPassword: both.verifyPassword }
const stepUpOnly = { stepUp: both.stepUp }
const kit = createKit()

async function newTeam(): Promise<Team> {
  const organization = await kit.organization()
  return { ...organization, heir: await join(kit, organization) }
}

async function outcome(act: Act, proofs: Partial<FlatOptions>, proof: Proof) {
  const organization = await newTeam()
  const rows = await everything()
  const result = await act(seatgateWith(proofs), organization, proof)
  if (!result.ok) expect(await everything()).toEqual(rows)
  if (result.ok || result.error.code !== 'validation_error') return codeOf(result)
  return Object.keys(result.error.errors)
}

describe.each(shareOf(acts, 2))('the proof of %s', (_name, act) => {
  it.each<[string, object, Proof, string | string[]]>([
    ['right', passwordOnly, { password: PASSWORD }, 'ok'],
    ['wrong', passwordOnly, { password: 'wrong' }, 'invalid_password'],
    ['missing', passwordOnly, {}, ['password']],
    ['null', passwordOnly, { password: null }, ['password']],
    ['a step-up that no function checks', passwordOnly, { stepUpProof: '123456' }, ['password']],
    ['right beside junk', both, { password: PASSWORD, stepUpProof: null }, 'ok'],
    [
      'wrong beside a right step-up',
      both,
      { password: 'no', stepUpProof: '123456' },
      'invalid_password',
    ],
    ['missing both', both, {}, ['password']],
  ])('a password that is %s', async (_what, proofs, proof, expected) => {
    expect(await outcome(act, { verifyPassword: undefined as never, ...proofs }, proof)).toEqual(
      expected
    )
  })

  it.each<[string, object, Proof, string | string[]]>([
    ['right, without passwords', stepUpOnly, { stepUpProof: '123456' }, 'ok'],
    ['wrong, without passwords', stepUpOnly, { stepUpProof: '000000' }, 'step_up_failed'],
    ['missing, without passwords', stepUpOnly, {}, ['stepUpProof']],
    ['a number', stepUpOnly, { stepUpProof: 123456 }, ['stepUpProof']],
    ['a password that no function checks', stepUpOnly, { password: PASSWORD }, ['stepUpProof']],
    ['right, beside passwords', both, { stepUpProof: '123456' }, 'ok'],
    ['wrong, beside passwords', both, { stepUpProof: '000000' }, 'step_up_failed'],
  ])('a step-up that is %s [ORG-32]', async (_what, proofs, proof, expected) => {
    expect(await outcome(act, { verifyPassword: undefined as never, ...proofs }, proof)).toEqual(
      expected
    )
  })

  it('throws where the host can check no proof [ORG-32]', async () => {
    const organization = await newTeam()
    const bare = seatgateWith({ verifyPassword: undefined as never })
    await expect(act(bare, organization, { password: PASSWORD })).rejects.toThrow(
      /identity\.verifyPassword or identity\.stepUp/
    )
  })

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('the hash is broken')
      },
    ],
    [
      'throws a text',
      () => {
        throw 'down'
      },
    ],
    ['rejects', () => Promise.reject(new Error('down'))],
  ])('is unavailable if the check %s: no row is written', async (_what, check) => {
    const verifyPassword = check as () => boolean
    expect(await outcome(act, { verifyPassword }, { password: PASSWORD })).toBe('unavailable')
    const stepUp = { verifyPassword: undefined as never, stepUp: verifyPassword }
    expect(await outcome(act, stepUp, { stepUpProof: '123456' })).toBe('unavailable')
  })

  it.each([['yes'], [1], [{}], [null], [undefined], [{ ok: true }], [false]])(
    'is wrong if the check answers %j',
    async (answer) => {
      const verifyPassword = (() => answer) as () => boolean
      const proof = { password: PASSWORD }
      expect(await outcome(act, { verifyPassword }, proof)).toBe('invalid_password')
    }
  )

  it('is checked for the caller, and no other user', async () => {
    const organization = await newTeam()
    const asked: unknown[] = []
    const verifyPassword = (...of: unknown[]) => asked.push(of) > 0
    unwrap(await act(seatgateWith({ verifyPassword }), organization, { password: ' as typed ' }))
    expect(asked).toEqual([[organization.owner, ' as typed ']])
  })

  it('of an account without a password is wrong, for any input [ORG-33]', async () => {
    const organization = await newTeam()
    const { owner } = organization
    await testEnv.DB.prepare('DELETE FROM seatgate_memberships WHERE user_id = ?').bind(owner).run()
    await testEnv.DB.prepare('DELETE FROM users WHERE id = ?').bind(owner).run()
    await testEnv.DB.prepare(
      "INSERT INTO seatgate_memberships (id, organization_id, user_id, role, seat_id, created_at, updated_at) VALUES (?1, ?2, ?3, 'owner', ?1, 1, 1)"
    )
      .bind(crypto.randomUUID(), organization.id, owner)
      .run()
    const rows = await everything()
    const seatgate = seatgateWith({ verifyPassword: passwordCheck(db) })
    for (const password of ['none', PASSWORD]) {
      expect(codeOf(await act(seatgate, organization, { password }))).toBe('invalid_password')
    }
    expect(await everything()).toEqual(rows)
  })
})

describe('the reference host’s check', () => {
  it('accepts the right password, and refuses a wrong one and one for a missing account', async () => {
    const { userId } = await signUp(`${crypto.randomUUID()}@example.com`, 'a good password')
    const verifyPassword = passwordCheck(db)
    expect(await verifyPassword(userId, 'a good password')).toBe(true)
    expect(await verifyPassword(userId, 'A good password')).toBe(false)
    expect(await verifyPassword('nobody', 'a good password')).toBe(false)
  })
})

describe('seatgateRouter', () => {
  it('throws at set-up where neither a password nor a step-up is configured [ORG-32]', () => {
    const none = seatgateWith({ verifyPassword: undefined as never })
    expect(() => seatgateRouter(none, { authenticate: byName })).toThrow(
      /identity\.verifyPassword or identity\.stepUp/
    )
    const stepUp = seatgateWith({ verifyPassword: undefined as never, stepUp: () => true })
    expect(() => seatgateRouter(stepUp, { authenticate: byName })).not.toThrow()
  })
})
