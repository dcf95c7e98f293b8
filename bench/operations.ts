/**
 * Everything that is measured, in an order in which each operation finds what it needs.
 *
 * @module
 */
import {
  acceptInvitation,
  acceptInvitationWithSignup,
  addMember,
  changeRole,
  countMembers,
  createInvitation,
  createInvitations,
  createOrganization,
  declineInvitation,
  deleteUser,
  explainSeats,
  getOrganization,
  listInvitations,
  listMembers,
  listOwnInvitations,
  listOrganizations,
  loadActiveOrganization,
  putActiveOrganization,
  removeMember,
  renameOrganization,
  resendInvitation,
  restoreMember,
  restoreOrganization,
  revokeInvitation,
  seatUsage,
  softDeleteOrganization,
  suspendMember,
  transferOwnership,
  updateSlug,
  viewInvitation,
  type InvitationWithToken,
  type RequestInfo,
  type Result,
} from '../src/index.ts'
import {
  newAddress,
  largeOrganization,
  newUser,
  operator,
  PASSWORD,
  signedIn,
  type Kit,
} from '../test/kit/index.ts'

/**
 * Operations by name, on an organization with so many members. A session is looked up in each, but for
 * the operator's. `marks` are the facts of a request that events record.
 */
export async function operationsOn(
  kit: Kit,
  members: number,
  marks: RequestInfo = {}
): Promise<Record<string, () => Promise<Result<unknown>>>> {
  const { seatgate } = kit
  const organization = await largeOrganization(kit, members)
  const owner = await signedIn(kit, organization.owner)
  const member = await signedIn(kit, organization.someMember)
  const userId = await newUser()
  const heir = await signedIn(kit, userId)
  const slug = newSlug()
  const at = organization.id
  const asOwner = { caller: owner, organization: organization.slug, ...marks }
  const asMember = { caller: member, organization: organization.slug, ...marks }
  const asHeir = { caller: heir, organization: at, ...marks }
  const password = PASSWORD
  // Each of them is what the one before it answered.
  let invitation: InvitationWithToken
  const keep = (result: Result<InvitationWithToken>) => {
    if (result.ok) invitation = result.value
    return result
  }
  const guestId = await newUser()
  const guest = await signedIn(kit, guestId)
  const inviting = async (email: string) =>
    keep(await createInvitation(seatgate, asOwner, { email, role: 'member' }))
  return {
    'read organization': () => getOrganization(seatgate, asMember),
    'set active organization': () =>
      putActiveOrganization(seatgate, { caller: member, ...marks }, organization.slug),
    'load request': async () => {
      const value = await loadActiveOrganization(seatgate, { caller: member })
      if (value.membership === null) throw new Error('nowhere')
      return { ok: true, value }
    },
    'list members (50)': () => listMembers(seatgate, asMember),
    'list members (5)': () => listMembers(seatgate, asMember, { limit: 5 }),
    'count members': () => countMembers(seatgate, asMember),
    'list organizations': () => listOrganizations(seatgate, { caller: member }),
    'read seats': () => seatUsage(seatgate, asMember),
    'add member': () => addMember(seatgate, asOwner, { userId, role: 'member' }),
    'change role': () => changeRole(seatgate, asOwner, userId, { role: 'admin' }),
    'suspend member': () => suspendMember(seatgate, asOwner, userId),
    'restore member': () => restoreMember(seatgate, asOwner, userId),
    invite: () => inviting(newAddress()),
    'invite again': () => inviting(invitation.email),
    'resend invitation': async () => keep(await resendInvitation(seatgate, asOwner, invitation.id)),
    'view invitation': async () => ({
      ok: true,
      value: await viewInvitation(seatgate, member, invitation),
    }),
    'list invitations': () => listInvitations(seatgate, asMember, { limit: 5 }),
    'list own invitations': () => listOwnInvitations(seatgate, { caller: member }, { limit: 5 }),
    'explain seats': () => explainSeats(seatgate, asOwner),
    'accept invitation with sign-up': () =>
      acceptInvitationWithSignup(seatgate, { ...invitation, password }),
    'invite (to decline)': () => inviting(newAddress()),
    'decline invitation': () =>
      declineInvitation(seatgate, { caller: { type: 'anonymous' }, ...marks }, invitation),
    'invite (to revoke)': () => inviting(newAddress()),
    'revoke invitation': () => revokeInvitation(seatgate, asOwner, invitation.id),
    'invite (to accept)': () => inviting(`${guestId}@example.com`),
    'accept invitation': () => acceptInvitation(seatgate, { caller: guest, ...marks }, invitation),
    'rename organization': () => renameOrganization(seatgate, asOwner, { name: 'Renamed' }),
    'change slug': () =>
      updateSlug(seatgate, asOwner, { slug, confirmSlug: organization.slug, password }),
    'transfer ownership': () =>
      transferOwnership(
        seatgate,
        { caller: owner, organization: at, ...marks },
        { userId, password }
      ),
    'remove member': () => removeMember(seatgate, asHeir, organization.owner),
    'delete user': () => deleteUser(seatgate, { caller: member, ...marks }, { password }),
    'delete organization': () =>
      softDeleteOrganization(seatgate, asHeir, { confirmName: 'Renamed', password }),
    'restore organization': () => restoreOrganization(seatgate, { caller: operator, ...marks }, at),
    'invite ten': () =>
      createInvitations(seatgate, asHeir, {
        invitations: Array.from({ length: 10 }, () => ({ email: newAddress(), role: 'member' })),
      }),
    'create organization': () =>
      createOrganization(seatgate, { caller: owner, ...marks }, { name: 'Test', slug: newSlug() }),
  }
}

function newSlug(): string {
  return `t${crypto.randomUUID().replaceAll('-', '')}`
}
