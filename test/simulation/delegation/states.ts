/** What a run of histories with own roles, groups and impersonations must have reached. */
export const DELEGATION_STATES: ReadonlySet<string> = new Set([
  'a role got another name under those who had it',
  'a role was replaced for those who had it',
  'a role in use was kept',
  'a role lost a permission',
  'an invitation, link or key ended with the permission of a role',
  'a group gave the right to an act',
  'a group got another role under its members',
  'who left was taken out of their groups',
  'an invitation, link or key ended with the right of a group',
  'an operator acted as a user',
  'an impersonation had ended',
  'an impersonation ended with the membership of its user',
])
