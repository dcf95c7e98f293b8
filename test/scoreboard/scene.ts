import {
  demand,
  Failed,
  type Answer,
  type Driver,
  type Invitation,
  type Person,
  type Product,
  type Usage,
} from './driver.ts'

/** An organization to play in, and those who may act. */
export interface Scene {
  readonly product: Product
  readonly id: string
  readonly owner: Person
  /** Without the owner. */
  readonly members: readonly Person[]
  /** Open invitations, each with who is invited. */
  readonly invited: readonly { readonly person: Person; readonly invitation: Invitation }[]
  /** People of no organization. */
  readonly strangers: readonly Person[]
}

export interface SceneOptions {
  readonly limit: unknown
  /** With the owner. */
  readonly members?: number
  readonly role?: string
  readonly invited?: number
}

/** Makes an organization with a limit, so many members and so many open invitations. */
export async function scene(
  driver: Driver,
  { limit, members: size = 1, role = 'member', invited: open = 0 }: SceneOptions
): Promise<Scene> {
  const product = driver.open()
  const [owner, ...others] = await driver.people(size + open + 4)
  if (owner === undefined) throw new Error('nobody was made')
  const id = given(await product.createOrganization(owner, limit))
  const members = others.slice(0, size - 1)
  for (const person of members) given(await product.add(owner, id, person, role))
  const invited = []
  for (const person of others.slice(size - 1, size - 1 + open)) {
    invited.push({ person, invitation: given(await product.invite(owner, id, person.email)) })
  }
  await product.settled()
  return { product, id, owner, members, invited, strangers: others.slice(size - 1 + open) }
}

// Without a scene nothing is played: that is no case that was lost.
function given<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(`The scene could not be set: ${answer.said}`)
  return answer.value
}

/** The value of an answer that has to be a yes, or the case is lost. */
export function must<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Failed(`what has to be possible is refused: ${answer.said}`)
  return answer.value
}

export function codeOf(answer: Answer): string {
  return answer.ok ? 'ok' : answer.code
}

export function countOf(answers: readonly Answer[], code: string): number {
  return answers.filter((answer) => codeOf(answer) === code).length
}

/** Who has a seat: active members, and open invitations where these hold one. */
export async function seated(driver: Driver, organization: string): Promise<number> {
  const { members, pending } = await driver.tables(organization)
  const active = members.filter((member) => member.active).length
  return active + (driver.lacks.heldSeats === undefined ? pending : 0)
}

/** How many rows somebody has. */
export async function rowsOf(driver: Driver, organization: string, { id }: Person) {
  const { members } = await driver.tables(organization)
  return members.filter(({ userId }) => userId === id).length
}

export async function actingOwners(driver: Driver, organization: string): Promise<number> {
  const { members } = await driver.tables(organization)
  return members.filter(({ role, active }) => role === 'owner' && active).length
}

export async function usageOf({ product, owner, id }: Scene): Promise<Usage> {
  return must(await product.usage(owner, id))
}

/** What is displayed is what is in the tables, where anything is displayed. */
export async function demandTrueUsage(driver: Driver, at: Scene): Promise<void> {
  if (driver.lacks.usage !== undefined) return
  const [{ used }, there] = [await usageOf(at), await seated(driver, at.id)]
  demand(used === there, `${used} seats are shown as used, ${there} are`)
}
