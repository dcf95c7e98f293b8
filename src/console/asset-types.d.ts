/** The texts of the files that a page loads, by name. The name contains the hash of the text. */
export declare const files: Readonly<Record<string, string>>

/** The name of each file with its hash, by the name that pages use. */
export declare const names: Readonly<Record<string, string>>
