import type { Roles } from './roles.ts'

/** Whether somebody may invite to a role: those who invite, and to the owner's role owners alone. */
export function mayInvite(roles: Roles, actorRole: string, role: string): boolean {
  if (role === roles.owner) return actorRole === roles.owner
  return roles.invitationAdmins.includes(actorRole)
}
