/**
 * Recognizes rare states in what people do at the same time, and in what they are answered.
 *
 * @module
 */
import type { Refusal } from '../../src/index.ts'
import type { Surroundings } from './network.ts'
import type { OrganizationView, Registry } from './people.ts'
import type { StateName } from './states.ts'

export interface Encounters {
  /** Somebody begins; answers what to call once they are done. */
  began(name: string, organization: OrganizationView): () => void
  succeeded(name: string): void
  /** What is wrong with a refusal of something that was asked for at that time. */
  refused(
    name: string,
    refusal: Refusal,
    organization: { readonly id: string },
    asked: number
  ): readonly string[]
}

const JOINING = [
  'addMember',
  'acceptInvitation',
  'restoreMember',
  'createInvitation',
  'joinOrganization',
  'approveJoinRequest',
  'joinByLink',
]

const SUCCEEDED: Readonly<Record<string, StateName>> = {
  deleteUser: 'a user was deleted',
  prepareUserDeletion: 'a user was deleted',
  restoreOrganization: 'an organization came back',
  withdrawJoinRequest: 'somebody took their request back',
  declineJoinRequest: 'somebody was declined',
  verifyDomain: 'a domain was verified',
  signUpAgain: 'an account was made again',
}

const REFUSED: Partial<Record<Refusal['code'], StateName>> = {
  seat_limit_reached: 'a join was refused at the limit',
  seats_unavailable: 'growth was refused because a store did not answer',
  last_owner: 'the only owner was not let go',
  operation_in_progress: 'an operation gave up after five plans',
  invitation_expired: 'an invitation expired while it was accepted',
  domain_taken: 'a domain was another organization’s',
  hook_refused: 'a hook refused',
  invitation_revoked: 'an old invitation led nowhere',
}

const ENDED: Readonly<Record<string, string>> = {
  actByKey: 'a key had ended',
  actAsUser: 'an impersonation had ended',
  endImpersonation: 'an impersonation had ended',
}

export function createEncounters(
  { sometimes, access, delegation }: Surroundings,
  registry: Registry
): Encounters {
  const underWay = new Map<string, number>()
  return {
    began(name, { id, limit, members, unfinished }) {
      const racing = `${id} ${name}`
      const count = (underWay.get(racing) ?? 0) + 1
      underWay.set(racing, count)
      const joining = JOINING.reduce((sum, door) => sum + (underWay.get(`${id} ${door}`) ?? 0), 0)
      const used = members.length + unfinished.length
      if (limit !== null && used === limit - 1 && joining > 1) {
        sometimes('several raced for the last seat')
      }
      if (name === 'setSeatLimit' && joining > 0) {
        sometimes('a limit was lowered while somebody joined')
      }
      if (name === 'joinByLink' && count > 1) sometimes('several came by a link at once')
      if (name === 'acceptInvitation' && count > 1) sometimes('two accepted one invitation at once')
      return () => underWay.set(racing, underWay.get(racing)! - 1)
    },
    succeeded(name) {
      const state = SUCCEEDED[name]
      if (state) sometimes(state)
    },
    refused(name, refusal, { id }, asked) {
      const state = REFUSED[refusal.code]
      if (state) sometimes(state)
      if (access && refusal.code === 'unauthenticated') {
        sometimes(ENDED[name] ?? 'a token had ended')
      }
      if (delegation && refusal.code === 'role_in_use') sometimes('a role in use was kept')
      if (access && /^(owned|membership)_limit_reached$/.test(refusal.code)) {
        sometimes('a limit of a user refused')
      }
      if (refusal.code === 'seat_limit_reached' && refusal.seatType !== undefined) {
        sometimes('a seat of a type was refused')
      }
      if (refusal.code !== 'seat_limit_reached' || refusal.used >= refusal.limit) return []
      if (!registry.hadLineSince(id, asked)) return ['refused below the limit']
      sometimes('a seat was kept for those in line')
      return []
    },
  }
}
