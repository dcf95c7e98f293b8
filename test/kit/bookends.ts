import { testEnv } from './environment.ts'

/**
 * Puts something before and behind everything in the indexes. A search that ends at the end of an
 * index reads a row less than one that ends at somebody else's row, and ids are random.
 */
export async function putBookends(): Promise<void> {
  const run = (sql: string, mark: string) => testEnv.DB.prepare(sql).bind(mark)
  await testEnv.DB.batch(
    ['!', '~'].flatMap((mark) => [
      run(
        `INSERT INTO seatgate_organizations (id, name, slug, owner_user_id, created_at, updated_at)
         VALUES (?1, ?1, ?1, ?1, 1, 1)`,
        mark
      ),
      run(
        `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, seat_id, created_at, updated_at)
         VALUES (?1, ?1, ?1, 'owner', ?1, 1, 1)`,
        mark
      ),
      run(
        `INSERT INTO seatgate_invitations
           (id, organization_id, email, role, token_hash, expires_at, created_at, updated_at)
         VALUES (?1, ?1, ?1 || '@x', 'member', replace(hex(zeroblob(32)), '0', ?1), 1, 1, 1)`,
        mark
      ),
      run(
        `INSERT INTO seatgate_exclusions (id, organization_id, user_id, address_length, salt, digest, created_at)
         VALUES (?1, ?1, ?1, 1, replace(hex(zeroblob(32)), '0', ?1), replace(hex(zeroblob(32)), '0', ?1), 1)`,
        mark
      ),
      run(
        `INSERT INTO seatgate_audit_events (organization_id, sequence, id, action, outcome, actor_type, metadata, occurred_at, inserted_at)
         VALUES (?1, 1, ?1, 'test.event', 'success', 'system', '{}', 1, 1)`,
        mark
      ),
      run(
        `INSERT INTO seatgate_sessions VALUES (replace(hex(zeroblob(32)), '0', ?1), ?1, ?1, 1, 1, 1)`,
        mark
      ),
    ])
  )
}
