/**
 * Sources of identities: each function returns `authenticate` and the other options that its source fills.
 * `seatgate/identity`
 *
 * @module
 */
export { jwks } from './jwks.ts'
export type { JwksOptions, TokenIdentity, TokenOptions } from './jwks.ts'
export type { Claims } from './jwt.ts'
export type { SignatureAlgorithm } from './remote-keys.ts'
export { auth0, clerk, cloudflareAccess, supabase, workos } from './presets.ts'
export type {
  Auth0Options,
  ClerkOptions,
  CloudflareAccessOptions,
  SupabaseOptions,
  WorkosOptions,
} from './presets.ts'
export { betterAuth } from './better-auth.ts'
export type {
  BetterAuthIdentity,
  BetterAuthInstance,
  BetterAuthOptions,
  BetterAuthUser,
} from './better-auth.ts'
export type { BetterAuthTables } from './better-auth-tables.ts'
export { trustedHeader } from './trusted-header.ts'
export type { GatewayProof, HeaderIdentity, TrustedHeaderOptions } from './trusted-header.ts'
export { IdentityUnavailable } from '../engine/access/identity-unavailable.ts'
