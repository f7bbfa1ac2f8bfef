// The page at /: counts this visit, shows the number, and keeps it current.
'use strict'
const count = document.getElementById('count'), note = document.getElementById('note')
for (const place of document.querySelectorAll('.origin')) place.textContent = location.origin

let shown
async function ask(method, path) {
  const answer = await fetch(path, { method, cache: 'no-store' })
  if (!answer.ok) throw new Error(answer.headers.get('X-Hit-Status') || 'status ' + answer.status)
  const { value } = await answer.json()
  if (value === shown) return
  shown = value
  count.textContent = value.toLocaleString()
}

async function refresh() {
  if (!document.hidden) {
    try {
      await ask('GET', '/v1/counters/site/home')
      note.textContent = 'It goes up while you look, as others come.'
    } catch {
      note.textContent = 'The number is not known just now; trying again.'
    }
  }
  setTimeout(refresh, 2000)
}

ask('POST', '/v1/hit/site/home?value=1').then(
  () => { note.textContent = 'It goes up while you look, as others come.' },
  (error) => { note.textContent = 'This visit could not be counted (' + error.message + ').' }
).finally(() => setTimeout(refresh, 2000))
