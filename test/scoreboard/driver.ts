/**
 * What the cases ask of a product, and nothing more: whoever drives another product writes one of
 * these for it.
 *
 * @module
 */
import type { Around } from '../../bench/meter.ts'

/**
 * What an expected "no" was about, in one vocabulary for all products. `gone`: an invitation that
 * cannot be used any more. `busy`: to be tried again. `broken` is no answer at all: an exception, or
 * what HTTP calls a 500.
 */
export type Code =
  | 'full'
  | 'unavailable'
  | 'last_owner'
  | 'already_member'
  | 'forbidden'
  | 'gone'
  | 'invalid'
  | 'busy'
  | 'broken'

export interface Refused {
  readonly ok: false
  readonly code: Code
  /** The numbers that a refusal for want of a seat shows, if it shows any. */
  readonly limit?: number | undefined
  readonly used?: number | undefined
  /** What the product itself said. */
  readonly said: string
}

export type Answer<T = unknown> = { readonly ok: true; readonly value: T } | Refused

export interface Person {
  readonly id: string
  readonly email: string
}

export interface Invitation {
  readonly id: string
  readonly email: string
  readonly token: string
}

/** How an organization's seats stand, as the product shows it. */
export interface Usage {
  readonly limit: number
  readonly used: number
  readonly overLimit: boolean
}

export interface MemberRow {
  readonly userId: string
  readonly role: string
  readonly active: boolean
}

/** What is in the tables, whatever the product says. */
export interface Tables {
  readonly members: readonly MemberRow[]
  /** Invitations that can be accepted. */
  readonly pending: number
}

/** What a product may have or not. A case names those that it cannot do without. */
export type Ability =
  | 'setLimit'
  | 'usage'
  | 'heldSeats'
  | 'operationIds'
  | 'transfer'
  | 'suspension'
  | 'userDeletion'
  | 'invitationRoles'
  | 'seatStore'

/**
 * One copy of a product, as one request has it. Whoever acts is named first. A method of an ability
 * that the product lacks is never called.
 */
export interface Product {
  /** With a limit from a plan's look-up, whatever that came to. */
  createOrganization(owner: Person, limit: unknown): Promise<Answer<string>>
  setLimit(organization: string, limit: number, version?: number): Promise<Answer<Usage>>
  usage(by: Person, organization: string): Promise<Answer<Usage>>
  add(
    by: Person,
    organization: string,
    person: Person,
    role?: string,
    operationId?: string
  ): Promise<Answer>
  remove(by: Person, organization: string, person: Person, operationId?: string): Promise<Answer>
  leave(person: Person, organization: string): Promise<Answer>
  changeRole(by: Person, organization: string, person: Person, role: string): Promise<Answer>
  transfer(by: Person, organization: string, to: Person): Promise<Answer>
  suspend(by: Person, organization: string, person: Person): Promise<Answer>
  restore(by: Person, organization: string, people: readonly Person[]): Promise<Answer>
  deleteUser(person: Person): Promise<Answer>
  invite(
    by: Person,
    organization: string,
    email: string,
    role?: string
  ): Promise<Answer<Invitation>>
  resend(by: Person, organization: string, invitation: Invitation): Promise<Answer>
  changeInvitationRole(
    by: Person,
    organization: string,
    invitation: Invitation,
    role: string
  ): Promise<Answer>
  revoke(by: Person, organization: string, invitation: Invitation): Promise<Answer>
  accept(person: Person, invitation: Invitation): Promise<Answer>
  members(by: Person, organization: string): Promise<Answer<readonly string[]>>
  organizations(person: Person): Promise<Answer<readonly string[]>>
  /** Waits for what was left to be done after the answers. */
  settled(): Promise<void>
}

export interface Driver {
  readonly name: string
  /** What it cannot be asked for, each with the reason. */
  readonly lacks: Readonly<Partial<Record<Ability, string>>>
  /** Makes the tables that it needs, once. */
  prepare(): Promise<void>
  /** A copy of the product. All it asks of its stores goes through `around`. */
  open(around?: Around): Product
  people(count: number): Promise<readonly Person[]>
  tables(organization: string): Promise<Tables>
  /** Lets time pass, with all that the product does by the clock. */
  later(organization: string, seconds: number): Promise<void>
}

/** One case: it throws {@link Failed} if the product does what the museum shows. */
export interface Case {
  readonly id: string
  readonly title: string
  readonly needs?: readonly Ability[]
  run(driver: Driver): Promise<void>
}

/** Why a product does not pass a case. */
export class Failed extends Error {
  override readonly name = 'Failed'
}

/** What has to hold, or the case is lost. */
export function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Failed(otherwise)
}
