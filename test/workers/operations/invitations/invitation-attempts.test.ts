import { describe, expect, it } from 'vitest'
import { acceptInvitation, acceptInvitationWithSignup } from '../../../../src/index.ts'
import {
  createKit,
  invite,
  newAddress,
  userWith,
  codeOf,
  PASSWORD,
  UNLIMITED,
  type Kit,
} from '../../../kit/index.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const invitationLimits = { ...UNLIMITED, failedAccepts: 3 }
const kit = createKit({ invitationLimits })

const tryAs = async ({ seatgate }: Kit, userId: string, token: unknown) =>
  codeOf(await acceptInvitation(seatgate, { caller: { userId } }, { token: token as never }))

const signUp = async (email: string, token: string) =>
  codeOf(await acceptInvitationWithSignup(kit.seatgate, { email, token, password: PASSWORD }))

/** An invitation, and the user whom it is for. */
async function invitedUser(inviting = kit) {
  const invited = await invite(inviting, await inviting.organization({ seats: 5 }))
  return { ...invited, userId: await userWith(invited.email) }
}

describe('a user who tries tokens', () => {
  it('is answered rate_limited beyond the limit, with the right token too, for a day [INV-75]', async () => {
    let now = new Date()
    const timed = createKit({ invitationLimits, now: () => now })
    const { userId, token } = await invitedUser(timed)
    const another = await invitedUser(timed)
    const guesses = ['none', `${token}x`, another.token]
    const answers = []
    for (const guess of guesses) answers.push(await tryAs(timed, userId, guess))
    expect(answers).toEqual(['invitation_invalid', 'invitation_invalid', 'invitation_mismatch'])
    expect(await tryAs(timed, userId, token)).toBe('rate_limited')
    now = new Date(now.getTime() + 60_000)
    const late = await acceptInvitation(timed.seatgate, { caller: { userId } }, { token })
    expect(late).toEqual({
      ok: false,
      error: { code: 'rate_limited', retryAfterSeconds: 86_340 },
    })
    expect(await tryAs(timed, another.userId, another.token)).toBe('ok')
    now = new Date(now.getTime() + DAY_MS)
    expect(await tryAs(timed, userId, token)).toBe('ok')
  })

  it('of many attempts at once, only as many as the limit allows learn that they were wrong', async () => {
    const { userId } = await invitedUser()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => tryAs(kit, userId, `guess ${index}`))
    )
    expect(answers.filter((code) => code === 'invitation_invalid')).toHaveLength(3)
    expect(answers.filter((code) => code === 'rate_limited')).toHaveLength(17)
  })

  it('does not count an authentic token in any state', async () => {
    const { userId, token } = await invitedUser()
    expect(await tryAs(kit, userId, token)).toBe('ok')
    for (let click = 0; click < 5; click++) {
      expect(await tryAs(kit, userId, token)).toBe('ok')
    }
  })

  it('is answered as ever if the attempt cannot be counted, and that is reported', async () => {
    const reports: string[] = []
    const lame = createKit({
      invitationLimits,
      report: ({ event }) => reports.push(event),
      around: async ({ asked }, run) => {
        if (asked.some((sql) => sql.startsWith('insert into "seatgate_rate_limits"'))) {
          throw new Error('D1_ERROR: Network connection lost.')
        }
        return run()
      },
    })
    const { userId } = await invitedUser()
    expect(await tryAs(lame, userId, 'none')).toBe('invitation_invalid')
    expect(reports).toEqual(['store_unavailable'])
  })
})

describe('a user who signs up', () => {
  it('has so many wrong addresses for an invitation, and other invitations have their own [INV-75]', async () => {
    const organization = await kit.organization({ seats: 5 })
    const { email, token } = await invite(kit, organization)
    for (let wrong = 0; wrong < 3; wrong++) {
      expect(await signUp(newAddress(), token)).toBe('email_mismatch')
    }
    expect(await signUp(email, token)).toBe('rate_limited')
    const other = await invite(kit, organization)
    expect(await signUp(other.email, other.token)).toBe('ok')
  })
})
