/** A file that a page loads, with its text and its media type. The name contains its hash. */
export interface Asset {
  readonly type: string
  readonly text: string
}

/** The files, by name. */
export declare const files: Readonly<Record<string, Asset>>

/** The name of each file with its hash, by the name that pages use. */
export declare const names: Readonly<Record<string, string>>
