// The link of an invitation has its token in the fragment, which browsers send to no server. This passes
// it on to the page, and takes it out of the address.
function passOn(): void {
  const form = document.querySelector<HTMLFormElement>('form[data-invitation]')
  const field = form?.querySelector<HTMLInputElement>('input[name="token"]')
  const [, token] = /^#(?:token=)?([\w.~-]+)$/.exec(location.hash) ?? []
  if (!form || !field || token === undefined || token === 'content') return
  history.replaceState(null, '', location.pathname)
  field.value = token
  form.submit()
}

addEventListener('hashchange', passOn)
passOn()
