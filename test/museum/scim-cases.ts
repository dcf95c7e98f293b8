/** A product's answer to a request of SCIM. */
export interface ScimAnswer {
  readonly status: number
  readonly type: string | null
  // What a provider reads of it is what a case is about.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

/** An organization of a product, with an identity provider that pushes its users. */
export interface ScimProduct {
  ask(method: string, path: string, body?: unknown): Promise<ScimAnswer>
  /** A user as it is pushed. */
  person(name: string, more?: object): Readonly<Record<string, unknown>>
  /** How many members may act, the owner among them. */
  members(): Promise<number>
  limitTo(seats: number): Promise<void>
  /** Makes a pushed user the only owner. */
  makeOwner(id: string): Promise<void>
}

/** A bug of another product, as a question to one. */
export interface ScimCase {
  readonly id: string
  readonly title: string
  run(product: ScimProduct): Promise<void>
}

function demand(holds: boolean, violation: string): void {
  if (!holds) throw new Error(violation)
}

const patch = (...operations: readonly object[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: operations,
})

const change = ({ ask }: ScimProduct, id: string, ...operations: readonly object[]) =>
  ask('PATCH', `/Users/${id}`, patch(...operations))

async function push({ ask, person }: ScimProduct, name: string, more?: object): Promise<string> {
  const { status, body } = await ask('POST', '/Users', person(name, more))
  demand(status === 201, `a push is ${status}`)
  return body.id as string
}

export const SCIM_CASES: readonly ScimCase[] = [
  {
    id: 'MUSEUM-49',
    title: 'a deactivated user is out with the next request, and what is not supported is an error',
    async run(product) {
      const id = await push(product, 'ann')
      await change(product, id, { op: 'replace', path: 'active', value: false })
      const left = await product.members()
      demand(left === 1, `after a deactivation ${left} are in`)
      const { status } = await change(product, id, { op: 'move', path: 'active', value: false })
      demand(status === 400, `an unknown operation is ${status}`)
    },
  },
  {
    id: 'MUSEUM-50',
    title:
      'operations in any case, texts for booleans, values without a path and filters in paths are understood',
    async run(product) {
      const ways = [
        { op: 'Replace', path: 'active', value: 'False' },
        { op: 'Replace', value: { active: false } },
        { op: 'REPLACE', value: { Active: 'false' } },
        { op: 'add', path: 'ACTIVE', value: 'FALSE' },
      ]
      for (const [index, way] of ways.entries()) {
        await change(product, await push(product, `p${index}`), way)
        const left = await product.members()
        demand(left === 1, `after ${JSON.stringify(way)} ${left} are in`)
      }
      const { userName } = product.person('work') as { userName: string }
      const emails = [
        { type: 'home', value: 'h@x.example' },
        { type: 'work', value: userName },
      ]
      const id = await push(product, 'work', { emails })
      const value = 'new@x.example'
      await change(product, id, { op: 'Replace', path: 'emails[type eq "work"].value', value })
      const { body } = await product.ask('GET', `/Users/${id}`)
      const found = (body.emails as { value: string }[]).map((each) => each.value).join(' ')
      demand(found === `h@x.example ${value}`, `the addresses are ${found}`)
    },
  },
  {
    id: 'MUSEUM-51',
    title: 'a user who is activated again is admitted through the gate',
    async run(product) {
      const id = await push(product, 'ann')
      const set = (value: boolean) => change(product, id, { op: 'replace', path: 'active', value })
      await set(false)
      await product.limitTo(1)
      const { status: full } = await set(true)
      const without = await product.members()
      demand(full === 409 && without === 1, `without a seat it is ${full}, and ${without} are in`)
      await product.limitTo(2)
      const { status } = await set(true)
      const back = await product.members()
      demand(status === 200 && back === 2, `with a seat it is ${status}, and ${back} are in`)
    },
  },
  {
    id: 'MUSEUM-52',
    title: 'members of a group come and go one by one, by a filter in the path too',
    async run(product) {
      const { ask } = product
      const [ann, bob] = [await push(product, 'ann'), await push(product, 'bob')]
      const { status, body } = await ask('POST', '/Groups', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
        displayName: 'Design',
        members: [{ value: ann }],
      })
      demand(status === 201, `a group is ${status}`)
      const path = `/Groups/${body.id as string}`
      const inIt = async () => {
        const { members } = (await ask('GET', path)).body as { members: { value: string }[] }
        return members.map(({ value }) => value)
      }
      await ask('PATCH', path, patch({ op: 'add', path: 'members', value: [{ value: bob }] }))
      const both = await inIt()
      demand(both.length === 2, `after an addition ${both.length} are in`)
      await ask('PATCH', path, patch({ op: 'remove', path: `members[value eq "${ann}"]` }))
      const left = await inIt()
      demand(left.length === 1 && left[0] === bob, `after a removal ${left.length} are in`)
    },
  },
  {
    id: 'MUSEUM-53',
    title: 'a repeated create changes nothing',
    async run(product) {
      const id = await push(product, 'ann', { externalId: 'e1', title: 'Lead' })
      const { status, body } = await product.ask('POST', '/Users', product.person('ann'))
      demand(status === 409 && body.scimType === 'uniqueness', `a repeat is ${status}`)
      const kept = (await product.ask('GET', `/Users/${id}`)).body
      demand(kept.externalId === 'e1' && kept.title === 'Lead', 'a repeat has cleared attributes')
    },
  },
  {
    id: 'MUSEUM-54',
    title: 'an id of the client overwrites no user',
    async run(product) {
      const id = await push(product, 'ann')
      const before = (await product.ask('GET', `/Users/${id}`)).body
      const other = await push(product, 'ben', { id })
      demand(other !== id, 'the id of the client is taken')
      const after = (await product.ask('GET', `/Users/${id}`)).body
      demand(before.userName === after.userName, `${before.userName} is ${after.userName}`)
    },
  },
  {
    id: 'MUSEUM-55',
    title: 'the last owner stays, with an error that a provider shows',
    async run(product) {
      const id = await push(product, 'ann')
      await product.makeOwner(id)
      const before = await product.members()
      const { status, body } = await change(product, id, {
        op: 'replace',
        path: 'active',
        value: false,
      })
      const { status: deleted } = await product.ask('DELETE', `/Users/${id}`)
      const left = await product.members()
      demand(left === before, `of ${before} members ${left} are left`)
      demand(status === 409 && deleted === 409, `it is ${status} and ${deleted}`)
      demand(typeof body.detail === 'string' && body.detail.includes('owner'), 'it says no reason')
    },
  },
  {
    id: 'MUSEUM-57',
    title: 'an empty result is a list, numbers are numbers, and errors have the form of SCIM',
    async run({ ask }) {
      const found = await ask('GET', '/Users?filter=userName eq "nobody@x.example"')
      demand(found.status === 200, `a filter that matches no user is ${found.status}`)
      demand(
        found.body.totalResults === 0,
        `totalResults is ${JSON.stringify(found.body.totalResults)}`
      )
      demand(Array.isArray(found.body.Resources), 'there is no list of resources')
      const { status, type, body } = await ask('GET', '/Users/none')
      demand(type === 'application/scim+json', `an error is ${type}`)
      const schema = 'urn:ietf:params:scim:api:messages:2.0:Error'
      const hasForm = body.schemas?.[0] === schema && body.status === String(status)
      demand(status === 404 && hasForm, 'an error has another form')
    },
  },
]
