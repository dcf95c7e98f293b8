/** The number of the last migration, which this code needs. `npm run schema` writes it. */
export const SCHEMA_VERSION = 70

/**
 * The lowest `SCHEMA_VERSION` of code that works with this schema. Migrations are applied before the code
 * that needs them is deployed, so that older code runs on a newer schema for a while: raise this to the
 * number of a migration that drops, renames or tightens what older code uses.
 */
export const COMPATIBLE_FROM = 1
