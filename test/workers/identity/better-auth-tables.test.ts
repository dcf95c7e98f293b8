import { expect, it } from 'vitest'
import { testEnv } from '../../kit/index.ts'
import { cookieOf, meter, PASSWORD, URL_OF_APP } from '../../kit/identity/better-auth-app.ts'
import { drizzleApp } from '../../kit/identity/better-auth-drizzle.ts'

it('betterAuth reads the tables of Drizzle, and has no active organization without a column', async () => {
  const { auth, sessions, routes } = await drizzleApp()
  expect(sessions).toBe('none')
  const signedUp = await auth.handler(
    new Request(`${URL_OF_APP}/api/auth/sign-up/email`, {
      method: 'POST',
      headers: { origin: URL_OF_APP, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Cleo', email: 'cleo@example.com', password: PASSWORD }),
    })
  )
  expect(signedUp.status).toBe(200)
  const headers = { cookie: cookieOf(signedUp.headers) }
  const ask = async () => (await routes.request('/organizations', { headers })).status
  await ask()
  meter.trips = 0
  expect(await ask()).toBe(200)
  expect(meter.trips).toBe(1)
  await testEnv.DB.prepare('update app_sessions set expires_at = ?')
    .bind(Math.floor(Date.now() / 1000) - 1)
    .run()
  expect(await ask()).toBe(401)
})
