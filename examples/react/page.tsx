/** @jsxImportSource react */
import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { createClient } from 'seatgate/client'
import { useMembers, useSeats } from 'seatgate/react'
import type { App } from './worker'

// Replace this: it takes the user and the organization from the address of the page.
const { user = 'ann', org = 'acme' } = Object.fromEntries(new URLSearchParams(location.search))
const client = createClient<App>({ headers: { 'x-user-id': user } })

function Members() {
  const members = useMembers(client, org)
  const seats = useSeats(client, org)
  const [refusal, setRefusal] = useState('')

  async function add(form: FormData) {
    const userId = form.get('userId')
    if (typeof userId !== 'string') return
    const added = await client.post('/organizations/:org/members', {
      param: { org },
      json: { userId, role: 'member' },
    })
    setRefusal(added.ok ? '' : textOf(added.error))
    await Promise.all([members.refetch(), seats.refetch()])
  }

  if (members.status === 'loading') return <p>Loading</p>
  if (members.status === 'refused') return <p role="alert">{textOf(members.error)}</p>
  return (
    <main>
      <h1>Members of {org}</h1>
      {seats.data && (
        <p>
          {seats.data.held + seats.data.reserved} of {seats.data.limit} seats are in use.
        </p>
      )}
      <ul>
        {members.data.map(({ id, userId, role }) => (
          <li key={id}>
            {userId} ({role})
          </li>
        ))}
      </ul>
      {members.hasMore && <button onClick={members.loadMore}>More</button>}
      <form action={add}>
        <label>
          User <input name="userId" required />
        </label>
        <button>Add</button>
      </form>
      <p role="alert">{refusal}</p>
    </main>
  )
}

function textOf(error: { code: string; limit?: number | string }): string {
  if (error.code === 'seat_limit_reached') return `All ${error.limit} seats are in use.`
  return error.code === 'network_failure' ? 'No connection.' : error.code
}

const root = document.getElementById('root')
if (root)
  createRoot(root).render(
    <StrictMode>
      <Members />
    </StrictMode>
  )
