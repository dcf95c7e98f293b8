/** What `/` answers: what runs here, and where to go. Plain HTML without scripts or styles. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Seatgate</title>
</head>
<body>
<main>
<h1>Seatgate</h1>
<p>Organizations, memberships, exact seat limits and a provable audit trail. This is the reference
host: the library behind a small identity. It answers JSON; there are no other pages.</p>
<h2>Where to go</h2>
<ol>
<li><code>POST /identity/sign-up</code> with <code>{"email": …, "password": …}</code> answers a
<code>token</code>. Send it as <code>Authorization: Bearer …</code>.</li>
<li><code>POST /organizations</code> with <code>{"name": …}</code> creates an organization, with you as
its owner.</li>
<li><code>POST /organizations/:org/invitations</code> with <code>{"email": …, "role": "member"}</code>
invites somebody.</li>
<li><code>GET /organizations/:org/seats</code>, <code>/members</code> and <code>/audit</code> show what
has become of it.</li>
</ol>
<p>Bodies are <code>application/json</code>, errors <code>application/problem+json</code>. All routes are in
the README, all codes in <code>docs/errors.md</code> of the source.
<a href="/healthz">/healthz</a> tells whether the worker runs.</p>
</main>
</body>
</html>
`
