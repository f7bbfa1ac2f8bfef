// The page at /: counts this visit, shows the number, and follows it: by a stream, or by asking where there is no room for one.
'use strict'
const at = (id) => document.getElementById(id), count = at('count'), note = at('note'), SECONDS = 120
for (const place of document.querySelectorAll('.origin')) place.textContent = location.origin

let shown, visit = '', rate = 0, trouble = ''
function tell() {
  const live = trouble || (rate > 0 ? `It goes up by ${rate.toLocaleString(undefined, { maximumFractionDigits: 1 })} a second.`
    : 'It goes up while you look, as others come.')
  const text = visit ? `${visit} ${live}` : live
  if (note.textContent !== text) note.textContent = text
}
function show(value) {
  if (value !== shown) count.textContent = (shown = value).toLocaleString()
}

// The rates of the last two minutes, one a second, the newest at the right.
const rates = []
function draw() {
  rates.push(rate)
  if (rates.length > SECONDS) rates.shift()
  const top = Math.max(...rates) || 1, x = (i) => SECONDS - rates.length + 1 + i
  const line = rates.map((r, i) => `${x(i)},${(24 - 22 * r / top).toFixed(2)}`).join(' ')
  at('curve').querySelector('polyline').setAttribute('points', line)
  at('curve').querySelector('polygon').setAttribute('points', `${x(0)},24 ${line} ${SECONDS},24`)
}

async function ask(method, path) {
  const answer = await fetch(path, { method, cache: 'no-store' })
  if (!answer.ok) throw new Error(answer.headers.get('X-Hit-Status') || 'status ' + answer.status)
  show((await answer.json()).value)
  return answer.headers.get('X-Hit-Status')
}
async function poll() {
  if (!document.hidden) {
    try {
      await ask('GET', '/v1/counters/site/home')
      trouble = ''
    } catch {
      trouble = 'The number is not known just now; trying again.'
    }
    tell()
  }
  setTimeout(poll, 2000)
}
// A stream is a connection: a page that nobody looks at gives it back.
function follow() {
  const stream = new EventSource('/v1/stream/site?key=home')
  stream.addEventListener('count', (event) => {
    const now = JSON.parse(event.data)
    trouble = ''
    rate = now.rate
    show(now.value)
    tell()
  })
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) {
      document.removeEventListener('visibilitychange', pause)
      poll()
    } else {
      trouble = 'The number is not known just now; trying again.'
      tell()
    }
  }
  function pause() {
    if (!document.hidden) return
    stream.close()
    document.removeEventListener('visibilitychange', pause)
    document.addEventListener('visibilitychange', follow, { once: true })
  }
  document.addEventListener('visibilitychange', pause)
}

ask('POST', '/v1/hit/site/home?value=1').then(
  (status) => { if (status !== 'counted') visit = 'Your browser asks not to be counted, and you are not.' },
  (error) => { visit = 'This visit could not be counted (' + error.message + ').' }
).finally(() => {
  tell()
  follow()
  setTimeout(() => setInterval(draw, 1000), 1500) // a rate is known a second after the first number
})
