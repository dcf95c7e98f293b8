/** An organization of a product, in which members create API keys. */
export interface KeyProduct {
  /** A member who may create keys creates one: one that ends with them, or one that stays. */
  create(endsWithCreator: boolean): Promise<{ readonly key: string; readonly creator: string }>
  /** Takes a member out, as a directory or an administrator does. */
  deprovision(member: string): Promise<void>
  /** Whether a request with the key is answered. */
  works(key: string): Promise<boolean>
  /** How many batches a deprovisioning takes, until the key has ended. */
  batches(): number
}

/** A bug of another product, as a question to one. */
export interface KeyCase {
  readonly id: string
  readonly title: string
  run(product: KeyProduct): Promise<void>
}

function demand(holds: boolean, violation: string): void {
  if (!holds) throw new Error(violation)
}

export const KEY_CASES: readonly KeyCase[] = [
  {
    id: 'MUSEUM-56',
    title:
      'the keys of a deprovisioned member end in the same batch, and stay only where that was chosen',
    async run(product) {
      const ending = await product.create(true)
      const staying = await product.create(false)
      demand(await product.works(ending.key), 'a new key does not work')
      const before = product.batches()
      await product.deprovision(ending.creator)
      const batches = product.batches() - before
      demand(!(await product.works(ending.key)), 'the key of a deprovisioned member works on')
      demand(batches === 1, `the end takes ${batches} batches`)
      await product.deprovision(staying.creator)
      demand(await product.works(staying.key), 'a key that was to stay has ended')
    },
  },
]
