/**
 * API keys of organizations, for machines. `seatgate/keys`
 *
 * @module
 */
export { apiKeys } from '../../parts/keys/keys.ts'
export type { ApiKeysOptions, ApiKeysPart, KeysContext } from '../../parts/keys/keys.ts'
export { isApiKey } from '../../parts/keys/key-text.ts'
export { authenticateKeys } from './authenticate-keys.ts'
export { keyRoutes } from './key-routes.ts'
export type { KeyRoutes } from './key-routes.ts'
export { createApiKey } from '../../parts/keys/create-key.ts'
export type {
  CreateApiKeyInput,
  CreateApiKeyRefusal,
  KeysContextOf,
} from '../../parts/keys/create-key.ts'
export { rotateApiKey } from '../../parts/keys/rotate-key.ts'
export type { RotateApiKeyInput, RotateApiKeyRefusal } from '../../parts/keys/rotate-key.ts'
export { revokeApiKey } from '../../parts/keys/revoke-key.ts'
export type { RevokeApiKeyRefusal } from '../../parts/keys/revoke-key.ts'
export { listApiKeys } from '../../parts/keys/list-keys.ts'
export type { ApiKeys } from '../../parts/keys/list-keys.ts'
export type { ApiKey, ApiKeyWithSecret, KeyLookup } from '../../parts/keys/api-key.ts'
