// Runtimes name this type differently.
type SigningKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

// A private key in PKCS #8 is this prefix and 32 bytes.
const PKCS8 = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32)

/** Imports an Ed25519 signing key from its 32 bytes. */
export function importSeed(seed: Uint8Array, extractable = false): Promise<SigningKey> {
  const pkcs8 = new Uint8Array([...PKCS8, ...seed])
  return crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', extractable, ['sign'])
}

/** Signs bytes. */
export async function sign(
  key: SigningKey,
  bytes: Uint8Array<ArrayBuffer>
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign('Ed25519', key, bytes))
}
