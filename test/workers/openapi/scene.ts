/**
 * Organizations in which requests are refused.
 *
 * @module
 */
import { people, testEnv, type Person } from '../../kit/index.ts'
import type { Recorder } from './recorder.ts'

export type { Recorder }

/** An organization of its own, and users who are not in it. */
export async function scene({ exchange }: Recorder, name = 'Full') {
  const [owner, member, ...others] = (await people(12)) as [Person, Person, ...Person[]]
  await testEnv.DB.prepare('update users set email_verified_at = 1').run()
  const as = by(owner)
  const { id: org } = await exchange('POST /organizations', { as, body: { name } })
  const param = { org } as { readonly org: string }
  const body = { userId: member.userId, role: 'member' }
  await exchange('POST /organizations/:org/members', { as, param, body })
  return { owner, member, others, as, param, operator: `operator:${owner.userId}` }
}

export type Scene = Awaited<ReturnType<typeof scene>>

/** The token of a user. */
export const by = ({ userId }: Person) => `user:${userId}`

/** Gives a user a verified address in a domain. */
export async function moveTo(person: Person | undefined, domain: string): Promise<void> {
  await testEnv.DB.prepare('update users set email = ?, email_verified_at = 1 where id = ?')
    .bind(`${person?.userId}@${domain}`, person?.userId)
    .run()
}

/** A service account of an organization. */
export const machineOf = ({ param }: Pick<Scene, 'param'>, role = 'owner') => ({
  type: 'service_account' as const,
  serviceAccountId: 'machine',
  organizationId: param.org,
  role,
})

/** Ends places on a waitlist as soon as they are written. */
export async function endsPlaces<T>(
  { asked }: { readonly asked: readonly string[] },
  run: () => Promise<T>
): Promise<T> {
  const answer = await run()
  if (asked.some((sql) => /^(?:insert into|update) "seatgate_join_requests"/.test(sql))) {
    await testEnv.DB.prepare(
      `update seatgate_join_requests set state = 'withdrawn', place = null where state = 'waiting'`
    ).run()
  }
  return answer
}
