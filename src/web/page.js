// The page at /: counts this visit, shows the number, and keeps it current.
'use strict'
const count = document.getElementById('count'), note = document.getElementById('note')
for (const place of document.querySelectorAll('.origin')) place.textContent = location.origin

let shown
async function ask(method, path) {
  const answer = await fetch(path, { method, cache: 'no-store' })
  if (!answer.ok) throw new Error(answer.headers.get('X-Hit-Status') || 'status ' + answer.status)
  const { value } = await answer.json()
  if (value !== shown) count.textContent = (shown = value).toLocaleString()
  return answer.headers.get('X-Hit-Status')
}

const rises = 'It goes up while you look, as others come.'
let text = rises

async function refresh() {
  if (!document.hidden) {
    try {
      await ask('GET', '/v1/counters/site/home')
      note.textContent = text
    } catch {
      note.textContent = 'The number is not known just now; trying again.'
    }
  }
  setTimeout(refresh, 2000)
}

ask('POST', '/v1/hit/site/home?value=1').then(
  (status) => {
    if (status !== 'counted') text = 'Your browser asks not to be counted, and you are not. ' + rises
    note.textContent = text
  },
  (error) => { note.textContent = 'This visit could not be counted (' + error.message + ').' }
).finally(() => setTimeout(refresh, 2000))
