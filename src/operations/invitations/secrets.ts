const INFO = new TextEncoder().encode('seatgate/invitation-outbox/1')
const NONCE_BYTES = 12

/**
 * Encrypts a token for storage (AES-256-GCM with a key derived from the secret): until its mail is sent,
 * or for the stored result of an operation.
 */
export async function encrypt(secret: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const key = await keyOf(secret)
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, key, bytes)
  return btoa(String.fromCharCode(...nonce, ...new Uint8Array(sealed)))
}

/** @throws if it was encrypted with another secret. */
export async function decrypt(secret: string, sealed: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = Uint8Array.from(atob(sealed), (char) => char.charCodeAt(0))
  const opened = await crypto.subtle.decrypt(
    { name: 'AES-GCM', iv: bytes.subarray(0, NONCE_BYTES) },
    await keyOf(secret),
    bytes.subarray(NONCE_BYTES)
  )
  return new Uint8Array(opened)
}

async function keyOf(secret: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(secret),
    'HKDF',
    false,
    ['deriveKey']
  )
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: INFO },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt']
  )
}
