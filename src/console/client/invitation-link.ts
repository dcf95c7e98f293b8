// The link of an invitation has its token in the fragment, which browsers send to nobody. This passes it
// on to the page, and takes it out of the address.
const form = document.querySelector<HTMLFormElement>('form[data-invitation]')
const [, token] = /^#token=([\w.~-]+)$/.exec(location.hash) ?? []
const field = form?.querySelector<HTMLInputElement>('input[name="token"]')
if (form && field && token !== undefined) {
  history.replaceState(null, '', location.pathname)
  field.value = token
  form.submit()
}
