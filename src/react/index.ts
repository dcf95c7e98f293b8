/**
 * Hooks of React over `seatgate/client`: data of an organization, shared by the components that show it.
 * `seatgate/react`
 *
 * @module
 */
export { useInvitations, useMembers, useOrganization, useSeats } from './organization-hooks.ts'
export type { Listed, ListOptions, Loaded, QueryState, Reader } from './organization-hooks.ts'
