import { describe, expect, it } from 'vitest'
import * as routes from '../../../src/hono/index.ts'
import * as library from '../../../src/index.ts'
import type { SeatgateOptions } from '../../../src/index.ts'

const bare = library.createSeatgate({
  database: { batch: () => Promise.reject(new Error('No database is asked.')) },
  seats: library.d1Seats(),
  sessions: 'none',
} as unknown as SeatgateOptions)
const scope = { caller: { type: 'system' }, organization: 'acme' }

/** The functions of each part, with an argument that stands for everything after the scope. */
const FUNCTIONS = {
  'invitations: invitations({ … })':
    'createInvitation createInvitations importMembers resendInvitation changeInvitationRole revokeInvitation ' +
    'declineInvitation acceptInvitation acceptInvitationWithSignup viewInvitation listInvitations listOwnInvitations',
  'joining: joinRules({ … })':
    'addDomain verifyDomain removeDomain setDomainMode listDomains joinOrganization approveJoinRequest ' +
    'declineJoinRequest withdrawJoinRequest listJoinableOrganizations listJoinRequests',
  'audit: { forwarding: forwarding({ … }) }':
    'listSinks listDeadLetters listAttempts replaySink pauseSink resumeSink requeueDeadLetters',
  'audit: { log: auditLog({ … }) }':
    'sealOrganization auditCheckpoint proveInclusion proveConsistency',
  'audit: { retention: retention([ … ]) }':
    'purgeAuditEvents placeLegalHold releaseLegalHold retentionStatus sweepRetention',
}
const ROUTES = {
  'invitations: invitations({ … })': 'invitationRoutes',
  'joining: joinRules({ … })': 'joiningRoutes',
  'audit: { forwarding: forwarding({ … }) }': 'forwardingRoutes',
  'audit: { log: auditLog({ … }) }': 'logRoutes',
}
const each = (table: Readonly<Record<string, string>>) =>
  Object.entries(table).flatMap(([passed, names]) =>
    names.split(' ').map((name) => [name, passed] as const)
  )

describe('a part that is not passed', () => {
  it.each(each(FUNCTIONS))(
    '%s throws a TypeError that says how to pass it, and asks no database',
    async (name, passed) => {
      const call = async () =>
        (library as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(
          bare,
          scope,
          'one',
          {}
        )
      await expect(call()).rejects.toThrow(TypeError)
      await expect(call()).rejects.toThrow(
        `which is not configured: createSeatgate({ ${passed} }).`
      )
    }
  )

  it.each(each(ROUTES))('%s throws the same at start', (name, passed) => {
    const make = () =>
      (routes as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(bare, {
        authenticate: () => null,
      })
    expect(make).toThrow(TypeError)
    expect(make).toThrow(`createSeatgate({ ${passed} }).`)
  })

  it('has no routes in the router', () => {
    const proof = { ...bare, stepUp: () => true }
    const router = routes.seatgateRouter(proof, { authenticate: () => null })
    const paths = router.routes.map(({ path }) => path).join(' ')
    expect(paths).toContain('/organizations/:org/audit/export')
    expect(paths).not.toMatch(/invitations|domains|join|sinks|checkpoint|proof|consistency/)
  })
})
