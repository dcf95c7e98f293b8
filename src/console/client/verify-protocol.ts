/** The trail and the key to verify it with: at their addresses, or in files of the reader. */
export type VerifyRequest = { readonly key: string } & (
  | { readonly checkpointUrl: string; readonly exportUrl: string }
  | { readonly note: string; readonly file: Blob }
)

/** The progress and the result of a verification. */
export type VerifyAnswer =
  | { readonly kind: 'progress'; readonly events: number }
  | { readonly kind: 'proven'; readonly proven: number; readonly younger: number }
  | {
      readonly kind: 'broken'
      readonly finding: string
      readonly line: number
      readonly sequence: number
    }
  | { readonly kind: 'unsealed' | 'wrong_key' }
  | { readonly kind: 'failed'; readonly reason: string }
