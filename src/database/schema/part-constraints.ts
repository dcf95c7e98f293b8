/**
 * Keys, indexes, checks and foreign keys of the tables of SCIM, API keys, impersonations and groups.
 * Statements do not use them, so they stand apart from the columns.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { check, foreignKey, index, primaryKey, uniqueIndex } from 'drizzle-orm/sqlite-core'
import * as tables from '../tables.ts'
import { constrained } from './constrained.ts'

export const scimTokens = /* @__PURE__ */ constrained(tables.scimTokens, (table) => [
  foreignKey({ columns: [table.organizationId], foreignColumns: [tables.organizations.id] }),
  uniqueIndex('seatgate_scim_tokens_hash').on(table.tokenHash),
  index('seatgate_scim_tokens_organization').on(table.organizationId, table.createdAt, table.id),
  check('seatgate_scim_tokens_id', sql`length(id) > 0`),
  check('seatgate_scim_tokens_token_hash', sql`length(token_hash) = 64`),
])

export const scimUsers = /* @__PURE__ */ constrained(tables.scimUsers, (table) => [
  primaryKey({ columns: [table.organizationId, table.id] }),
  foreignKey({ columns: [table.organizationId], foreignColumns: [tables.organizations.id] }),
  uniqueIndex('seatgate_scim_users_user').on(table.organizationId, table.userId),
  uniqueIndex('seatgate_scim_users_name').on(table.organizationId, table.userNameKey),
  uniqueIndex('seatgate_scim_users_external').on(table.organizationId, table.externalId),
  uniqueIndex('seatgate_scim_users_position').on(table.organizationId, table.position),
  index('seatgate_scim_users_email').on(table.organizationId, table.email),
  index('seatgate_scim_users_everywhere').on(table.userId),
  check('seatgate_scim_users_id', sql`length(id) > 0`),
  check('seatgate_scim_users_position', sql`position > 0`),
  check('seatgate_scim_users_user_id', sql`length(user_id) > 0`),
  check('seatgate_scim_users_user_name', sql`length(user_name) > 0`),
  check('seatgate_scim_users_user_name_key', sql`length(user_name_key) > 0`),
  check('seatgate_scim_users_external_id', sql`length(external_id) > 0`),
  check('seatgate_scim_users_email', sql`length(email) > 0`),
  check('seatgate_scim_users_attributes', sql`json_valid(attributes)`),
  check('seatgate_scim_users_version', sql`version > 0`),
])

export const apiKeys = /* @__PURE__ */ constrained(tables.apiKeys, (table) => [
  foreignKey({ columns: [table.organizationId], foreignColumns: [tables.organizations.id] }),
  uniqueIndex('seatgate_api_keys_hash').on(table.tokenHash),
  index('seatgate_api_keys_organization').on(table.organizationId, table.createdAt, table.id),
  index('seatgate_api_keys_creator')
    .on(table.organizationId, table.createdById)
    .where(sql`ends_with_creator = 1`),
  check('seatgate_api_keys_id', sql`length(id) > 0`),
  check('seatgate_api_keys_token_hash', sql`length(token_hash) = 64`),
  check('seatgate_api_keys_name', sql`length(name) > 0`),
  check('seatgate_api_keys_role', sql`length(role) > 0`),
  check(
    'seatgate_api_keys_permissions',
    sql`(permissions IS NULL) <> (role IS NULL) AND (permissions IS NULL OR json_valid(permissions))`
  ),
  check('seatgate_api_keys_ends_with_creator', sql`ends_with_creator IN (0, 1)`),
  check('seatgate_api_keys_creator', sql`ends_with_creator = 0 OR created_by_id IS NOT NULL`),
])

export const impersonations = /* @__PURE__ */ constrained(tables.impersonations, (table) => [
  foreignKey({ columns: [table.organizationId], foreignColumns: [tables.organizations.id] }),
  uniqueIndex('seatgate_impersonations_hash').on(table.tokenHash),
  index('seatgate_impersonations_organization').on(table.organizationId, table.createdAt, table.id),
  index('seatgate_impersonations_operator').on(table.operatorId, table.createdAt, table.id),
  index('seatgate_impersonations_expired').on(table.expiresAt, table.id),
  check('seatgate_impersonations_id', sql`length(id) > 0`),
  check('seatgate_impersonations_user', sql`length(user_id) > 0`),
  check('seatgate_impersonations_operator', sql`length(operator_id) > 0`),
  check('seatgate_impersonations_token_hash', sql`length(token_hash) = 64`),
  check('seatgate_impersonations_reason', sql`length(reason) > 0`),
])

export const groups = /* @__PURE__ */ constrained(tables.groups, (table) => [
  foreignKey({ columns: [table.organizationId], foreignColumns: [tables.organizations.id] }),
  primaryKey({ columns: [table.organizationId, table.id] }),
  uniqueIndex('seatgate_groups_name').on(table.organizationId, table.nameKey),
  uniqueIndex('seatgate_groups_external_id')
    .on(table.organizationId, table.externalId)
    .where(sql`external_id IS NOT NULL`),
  index('seatgate_groups_newest').on(table.organizationId, table.createdAt, table.id),
  check('seatgate_groups_id', sql`length(id) > 0`),
  check('seatgate_groups_name', sql`length(name) > 0`),
  check('seatgate_groups_name_key', sql`length(name_key) > 0`),
  check('seatgate_groups_role', sql`length(role) > 0`),
  check('seatgate_groups_external_id', sql`length(external_id) > 0`),
  check('seatgate_groups_members', sql`members >= 0`),
  check('seatgate_groups_version', sql`version > 0`),
])

export const groupMembers = /* @__PURE__ */ constrained(tables.groupMembers, (table) => [
  primaryKey({ columns: [table.organizationId, table.groupId, table.userId] }),
  foreignKey({
    columns: [table.organizationId, table.groupId],
    foreignColumns: [tables.groups.organizationId, tables.groups.id],
  }),
  index('seatgate_group_members_user').on(table.organizationId, table.userId),
  check('seatgate_group_members_user_id', sql`length(user_id) > 0`),
])
