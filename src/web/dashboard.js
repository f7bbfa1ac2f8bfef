// The dashboard. On the admin port it asks /statusz and /dashboard.json every two seconds, /metrics now and then. On the
// public port it asks /v1/namespaces with the reader's token, and totals. It draws what they say.
'use strict'
const EVERY_MS = 2000, SPAN_MS = 600000, MEAN_MS = 10000, TOTALS = 12, KEPT = 'tallyd token'
const at = (id) => document.getElementById(id)
const state = { points: [], namespaces: new Map(), chosen: '', pointed: null, failures: 0, rounds: 0, metrics: {}, public: null, token: '' }

// ---- words ----
const whole = (n) => Math.round(n).toLocaleString()
const paced = (n) => n.toLocaleString(undefined, n < 10 ? { minimumFractionDigits: 1, maximumFractionDigits: 1 } : { maximumFractionDigits: 0 })
const short = (n) => n < 1e6 ? whole(n) : n.toLocaleString(undefined, { notation: 'compact', maximumFractionDigits: 2 })
const clock = (ms) => new Date(ms).toLocaleTimeString()
const seconds = (s) => s < .001 ? Math.round(s * 1e6) + ' µs' : s < .01 ? (s * 1000).toFixed(1) + ' ms' : s < 1 ? Math.round(s * 1000) + ' ms' : s < 120 ? s.toFixed(1) + ' s' : Math.round(s / 60) + ' min'
const bytes = (n) => n < 1 << 20 ? Math.round(n / 1024) + ' KiB' : (n / (1 << 20)).toFixed(n < 100 << 20 ? 1 : 0) + ' MiB'
function lasted(ms) {
  const m = Math.floor(ms / 60000), h = Math.floor(m / 60), d = Math.floor(h / 24)
  return d > 0 ? `${d} d ${h % 24} h` : h > 0 ? `${h} h ${m % 60} min` : m > 0 ? `${m} min` : Math.floor(ms / 1000) + ' s'
}

// ---- elements ----
function make(tag, attributes, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes || {})) node[name] = value
  node.append(...children)
  return node
}
// Only what changed is touched, so that focus, selection and screen readers stay where they are.
function say(node, text) { if (node.textContent !== text) node.textContent = text }
function rows(body, wanted, key, fill) {
  const old = new Map([...body.children].map((row) => [row.dataset.key, row]))
  wanted.forEach((item, i) => {
    let row = old.get(key(item))
    if (!row) { row = make('tr'); row.dataset.key = key(item) }
    old.delete(key(item))
    fill(row, item)
    if (body.children[i] !== row) body.insertBefore(row, body.children[i] || null)
  })
  for (const row of old.values()) row.remove()
}
function empty(body, columns, text) {
  rows(body, [text], () => 'empty', (row) => {
    if (!row.firstChild) row.append(make('td', { className: 'empty', colSpan: columns }))
    say(row.firstChild, text)
  })
}
function cells(row, count) {
  while (row.children.length < count) row.append(make('td', { className: row.children.length ? 'number' : 'name' }))
  return row.children
}
function defined(list, items) {
  for (const [i, [name, value, mood]] of items.entries()) {
    let term = list.children[2 * i]
    if (!term) list.append(term = make('dt'), make('dd'))
    say(term, name)
    say(term.nextSibling, value)
    term.nextSibling.className = mood || ''
  }
  while (list.children.length > 2 * items.length) list.lastChild.remove()
}

// ---- rates ----
// How fast a number grew over the last MEAN_MS that are known.
function pace(samples, value, now) {
  if (samples.length && value < samples.at(-1)[1]) samples.length = 0
  samples.push([now, value])
  while (samples.length > 2 && now - samples[1][0] >= MEAN_MS) samples.shift()
  const [from, first] = samples[0]
  return now > from ? (value - first) * 1000 / (now - from) : 0
}

// ---- the curve ----
const SVG = 'http://www.w3.org/2000/svg'
function shape(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  if (text !== undefined) node.textContent = text
  return node
}
function ceiling(most) {
  const unit = 10 ** Math.floor(Math.log10(Math.max(most, 1)))
  return [1, 2, 3, 5, 10].map((n) => n * unit).find((n) => n >= most) || 10 * unit
}
const ago = (ms) => ms < 1000 ? 'now' : ms < 60000 ? Math.round(ms / 1000) + ' s ago' : Math.round(ms / 6000) / 10 + ' min ago'
function draw() {
  const box = at('curve'), width = box.clientWidth, height = box.clientHeight, { points } = state
  if (!width || points.length < 2) return
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize), foot = 1.4 * rem, last = points.at(-1)[0]
  const span = Math.min(SPAN_MS, Math.max(60000, last - points[0][0])), top = ceiling(Math.max(...points.map((p) => p[1])))
  const x = (t) => width - (last - t) / span * width, y = (v) => 4 + (height - foot - 4) * (1 - v / top)
  const svg = shape('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': true })
  for (const part of [1, .5, 0]) {
    svg.append(shape('line', { class: 'grid', x1: 0, x2: width, y1: y(top * part), y2: y(top * part) }))
    if (part) svg.append(shape('text', { x: 0, y: y(top * part) + rem }, top < 10 ? (top * part).toLocaleString() : short(top * part)))
  }
  const line = points.map(([t, v]) => `${x(t).toFixed(1)},${y(v).toFixed(1)}`).join(' ')
  svg.append(shape('polygon', { class: 'area', points: `${x(points[0][0]).toFixed(1)},${y(0)} ${line} ${width},${y(0)}` }))
  svg.append(shape('polyline', { class: 'line', points: line }))
  svg.append(shape('text', { x: 0, y: height - 2 }, ago(span)), shape('text', { class: 'end', x: width, y: height - 2 }, 'now'))
  const i = state.pointed === null ? points.length - 1 : Math.max(0, points.findIndex((p) => p[0] >= state.pointed)), [t, v] = points[i]
  if (state.pointed !== null) svg.append(shape('line', { class: 'at', x1: x(t), x2: x(t), y1: 0, y2: y(0) }))
  svg.append(shape('circle', { class: 'dot', cx: x(t), cy: y(v), r: 5 }))
  box.replaceChildren(svg)
  say(at('said'), state.pointed === null ? '' : `${paced(v)} at ${clock(Date.now() - (performance.now() - t))}`)
  const values = points.map((p) => p[1])
  box.setAttribute('aria-label', `Hits a second over the last ${ago(last - points[0][0]).replace(' ago', '')}: now ${paced(values.at(-1))}, ` +
    `least ${paced(Math.min(...values))}, most ${paced(Math.max(...values))}. Arrow keys read single points.`)
}
function point(t) { state.pointed = t; draw() }
function listen() {
  const box = at('curve')
  box.addEventListener('pointermove', (e) => {
    const { points } = state, last = points.length && points.at(-1)[0]
    if (!points.length) return
    const span = Math.min(SPAN_MS, Math.max(60000, last - points[0][0])), side = box.getBoundingClientRect()
    const t = last - (side.right - e.clientX) / side.width * span
    point(points.reduce((best, p) => Math.abs(p[0] - t) < Math.abs(best - t) ? p[0] : best, last))
  })
  for (const gone of ['pointerleave', 'blur']) box.addEventListener(gone, () => point(null))
  box.addEventListener('keydown', (e) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[e.key], { points } = state
    if (e.key === 'Escape') point(null)
    if (!step || !points.length) return
    e.preventDefault()
    const i = state.pointed === null ? points.length - 1 : points.findIndex((p) => p[0] >= state.pointed)
    point(points[Math.min(points.length - 1, Math.max(0, i + step))][0])
  })
  new ResizeObserver(draw).observe(box)
  at('ns').addEventListener('change', () => choose(at('ns').value))
}

// ---- parts ----
// Of the namespace that is chosen, or of the only one.
function exports(named) {
  const ns = state.chosen || (named.length === 1 ? named[0].ns : ''), place = at('export')
  const what = named.length ? '/' + ns : ''
  if (place.dataset.what === what) return
  place.dataset.what = what
  if (!ns) return place.replaceChildren(named.length ? 'Choose one to see its pages and to export it.' : '')
  const href = (format) => `/v1/export/${encodeURIComponent(ns)}?format=${format}`, file = (format) => `${ns}.${format}`
  const link = (format) => state.public
    ? make('button', { type: 'button', textContent: format, onclick: (e) => save(href(format), file(format), e.target) })
    : make('a', { href: href(format), download: file(format), textContent: format })
  place.replaceChildren(`All pages of ${ns} that the store holds: `, link('csv'), ', ', link('ndjson'))
}
// A link cannot carry the token, so the page fetches the file.
async function save(path, name, button) {
  button.disabled = true
  try {
    const url = URL.createObjectURL(await (await get(path, 600000)).blob())
    make('a', { href: url, download: name }).click()
    setTimeout(() => URL.revokeObjectURL(url), 60000)
  } catch (error) { say(at('when'), `The export failed: ${error.message}`) }
  button.disabled = false
}
function choose(ns) {
  state.chosen = ns
  at('ns').value = ns
  tables()
}
function tables() {
  const known = [...state.namespaces.values()].filter((n) => n.here), named = known.filter((n) => n.ns)
  const select = at('ns')
  for (const n of named) if (![...select.options].some((o) => o.value === n.ns)) select.append(make('option', { value: n.ns, textContent: n.ns }))
  const most = Math.max(1, ...known.map((n) => n.value))
  if (!known.length) empty(at('namespaces'), 4, 'Nothing has been counted yet.')
  else rows(at('namespaces'), known, (n) => n.ns || '', (row, n) => {
    const [name, pages, hits, rate] = cells(row, 4)
    name.style.setProperty('--share', 100 * n.value / most + '%')
    if (!name.firstChild) name.append(n.ns ? make('button', { type: 'button', textContent: n.ns, onclick: () => choose(state.chosen === n.ns ? '' : n.ns) })
      : make('span', { textContent: 'all others' }))
    if (n.ns) name.firstChild.setAttribute('aria-pressed', state.chosen === n.ns)
    say(pages, whole(n.keys)); say(hits, short(n.value)); say(rate, paced(n.rate))
    hits.title = whole(n.value)
  })
  exports(named)
  const shown = named.filter((n) => !state.chosen || n.ns === state.chosen)
  const top = shown.flatMap((n) => n.pages).sort((a, b) => b.value - a.value).slice(0, 20), highest = Math.max(1, ...top.map((p) => p.value))
  if (!top.length) empty(at('top'), 3, named.length ? 'No page of this namespace is counted here.' : 'Pages appear with their first hit.')
  else rows(at('top'), top, (p) => p.ns + '/' + p.key, (row, p) => {
    const [name, hits, rate] = cells(row, 3)
    name.style.setProperty('--share', 100 * p.value / highest + '%')
    if (!name.firstChild) name.append(make('span', {}, make('span', { className: 'of', textContent: p.ns + ' ' }), p.key))
    name.title = p.ns + '/' + p.key
    name.firstChild.firstChild.hidden = Boolean(state.chosen)
    say(hits, short(p.value)); say(rate, paced(p.rate))
    hits.title = whole(p.value)
  })
  say(at('top-note'), top.length ? 'The highest of those that this process counts, with what the store said of them last.' : '')
}
function take(ranking, now) {
  for (const n of state.namespaces.values()) n.here = false
  for (const seen of ranking.namespaces) {
    const id = seen.ns || ''
    const n = state.namespaces.get(id) || { ns: seen.ns, samples: [], known: new Map() }
    state.namespaces.delete(id) // the order is the server's
    state.namespaces.set(id, n)
    Object.assign(n, { here: true, keys: seen.keys, value: Math.max(seen.value, seen.total ?? 0), rate: pace(n.samples, seen.total ?? seen.counted, now) })
    n.pages = seen.top.map(({ key, value }) => {
      const p = n.known.get(key) || { ns: seen.ns, key, samples: [] }
      return Object.assign(p, { value, rate: pace(p.samples, value, now) })
    })
    n.known = new Map(n.pages.map((p) => [p.key, p]))
  }
}
function figures({ books, keys }) {
  const waiting = books.pending + books.in_flight
  const items = [['Accepted', books.accepted], ['Stored', books.stored], ['On their way', waiting], ['Set aside', books.poisoned], ['Lost', books.lost]]
  const list = at('figures')
  for (const [i, [name, value]] of items.entries()) {
    const box = list.children[i] || list.appendChild(make('div', {}, make('dt', { textContent: name }), make('dd')))
    say(box.lastChild, short(value))
    box.lastChild.title = whole(value)
    box.lastChild.className = value > 0 && i === 4 ? 'bad' : value > 0 && i === 3 ? 'warn' : ''
  }
}
function quantile(metrics, name, part) {
  const buckets = Object.entries(metrics).filter(([k]) => k.startsWith(`tallyd_${name}_bucket{`))
    .map(([k, v]) => [parseFloat(/le="([^"]*)"/.exec(k)[1].replace('+Inf', 'Infinity')), v]).sort((a, b) => a[0] - b[0])
  const all = buckets.length ? buckets.at(-1)[1] : 0
  return all ? buckets.find((b) => b[1] >= all * part)[0] : null
}
function health(status, ranking) {
  const m = state.metrics, total = (name) => Object.entries(m).reduce((sum, [k, v]) => k === name || k.startsWith(name + '{') ? sum + v : sum, 0)
  const lag = m.tallyd_flush_lag_seconds ?? 0, p99 = quantile(m, 'request_seconds', .99), alarms = total('tallyd_alarms_total')
  const { redis, books } = status
  const items = [
    ['Books', books.imbalance === 0 ? '✓ balance' : `✗ differ by ${whole(books.imbalance)}`, books.imbalance === 0 ? 'good' : 'bad'],
    ['Store', !redis ? 'none: this process holds all' : redis.connected ? `✓ ${redis.host}:${redis.port}` : `✗ ${redis.host}:${redis.port} does not answer`,
      !redis ? '' : redis.connected ? 'good' : 'bad'],
    ...(redis ? [['Oldest hit not stored', lag ? seconds(lag) : 'none', lag > 60 ? 'bad' : lag > 10 ? 'warn' : ''],
      ['Last flush', seconds(redis.flush_duration_us / 1e6)]] : []),
    ['Alarms', alarms ? `! ${whole(alarms)}` : 'none', alarms ? 'warn' : ''],
    ...(p99 === null ? [] : [['99 % of answers', p99 === Infinity ? 'slower than counted' : 'within ' + seconds(p99)]]),
    ['Connections', whole(status.workers.reduce((sum, w) => sum + w.connections, 0)) + (total('tallyd_streams') ? `, ${whole(total('tallyd_streams'))} streams` : '')],
    ['Pages counted here', `${whole(status.keys.counted)} of ${short(status.keys.max)}`, status.keys.counted > .9 * status.keys.max ? 'warn' : ''],
    ...(m.process_resident_memory_bytes ? [['Memory', bytes(m.process_resident_memory_bytes)]] : []),
    ['Engine', `${status.engine}, ${status.workers.length} worker${status.workers.length === 1 ? '' : 's'}`],
    ['Up for', lasted(status.uptime_ms)],
  ]
  defined(at('health'), items)
}
function header(status) {
  say(at('where'), `${location.host} · ${status.version} · ${status.instance.slice(0, 8)}`)
  at('where').title = status.instance
  lamp(status.state, status.state === 'ready' ? 'good' : 'warn')
}
function lamp(text, mood) {
  say(at('state'), text)
  at('state').className = mood
}

// ---- the round ----
async function get(path, patience = 10000) {
  const headers = state.token ? { Authorization: 'Bearer ' + state.token } : {}
  const answer = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(patience), headers })
  if (answer.ok) return answer
  const said = await answer.json().catch(() => ({}))
  throw Object.assign(new Error(said.detail || `${path} says ${answer.status}`), { status: answer.status })
}
const json = async (path) => (await get(path)).json()
async function measure() {
  const text = await (await get('/metrics')).text()
  state.metrics = Object.fromEntries(text.split('\n').filter((l) => l && l[0] !== '#').map((l) => [l.slice(0, l.lastIndexOf(' ')), Number(l.slice(l.lastIndexOf(' ')))]))
}
const accepted = [] // samples
async function round() {
  if (state.public === null) {
    state.public = (await json('/dashboard.json')).public === true
    document.documentElement.classList.toggle('public', state.public)
    if (state.public) state.token = sessionStorage.getItem(KEPT) || ''
  }
  if (!state.public) await admin_round()
  else if (state.token) await public_round()
  else door(true)
}
async function admin_round() {
  const [status, ranking] = await Promise.all(['/statusz', '/dashboard.json'].map(json))
  if (state.rounds++ % 3 === 0) await measure()
  const now = performance.now(), first = accepted.length === 0, rate = pace(accepted, status.books.accepted, now)
  take(ranking, now)
  header(status)
  figures(status)
  health(status, ranking)
  finish(now, first, rate, 'Of this process, since this page was opened; ten minutes are kept.')
}
// Any process may answer, so how fast a namespace grows is told by its total, which all of them share.
async function total_of(n) {
  if (!n.ns || state.without.has(n.ns)) return
  try { n.total = (await json(`/v1/counters/${encodeURIComponent(n.ns)}?total=1`)).total } catch (error) {
    if (error.status === 404) state.without.add(n.ns)
  }
}
state.without = new Set()
async function public_round() {
  const ranking = await json('/v1/namespaces'), first = state.rounds++ === 0
  door(false)
  await Promise.all(ranking.namespaces.slice(0, TOTALS).map(total_of))
  const now = performance.now()
  take(ranking, now)
  say(at('where'), location.host)
  lamp('live', 'good')
  const here = [...state.namespaces.values()].filter((n) => n.here)
  finish(now, first, here.reduce((sum, n) => sum + n.rate, 0), 'Of the namespaces that this token may read, since this page was opened; ten minutes are kept.')
}
function finish(now, first, rate, span) {
  if (!first) state.points.push([now, rate])
  while (state.points.length && now - state.points[0][0] > SPAN_MS) state.points.shift()
  say(at('rate'), first ? '–' : paced(rate))
  say(at('span'), span)
  say(at('when'), `As of ${clock(Date.now())}`)
  document.title = first ? 'tallyd' : `${paced(rate)} hits/s · tallyd`
  tables()
  draw()
}

// ---- the token ----
// It is kept in this page, and where the reader wants it, in this tab (sessionStorage). It is never part of an address.
function door(open, said = '') {
  const was = !at('door').hidden
  at('door').hidden = !open
  at('leave').hidden = open
  document.documentElement.classList.toggle('closed', open)
  if (open && (said || !was)) say(at('door-said'), said)
  if (!open || was) return
  lamp('closed', '')
  at('token').focus()
}
function forget(said) {
  sessionStorage.removeItem(KEPT)
  Object.assign(state, { token: '', chosen: '', rounds: 0, points: [] })
  state.namespaces.clear()
  state.without.clear()
  at('ns').replaceChildren(at('ns').options[0])
  at('token').value = ''
  door(true, said)
}
function enter(event) {
  event.preventDefault()
  const token = at('token').value.trim()
  if (!/^[\w.~+/=-]+$/.test(token)) return door(true, 'A token has letters, digits and - . _ ~ + / = only.')
  state.token = token
  if (at('keep').checked) sessionStorage.setItem(KEPT, token)
  run()
}

function away(error) {
  const since = state.since ||= clock(Date.now())
  document.documentElement.classList.add('away')
  lamp('away', 'bad')
  at('trouble').hidden = false
  say(at('trouble'), `The server has not answered since ${since}; what is shown is from before. Trying again every few seconds.`)
  at('trouble').title = error.message
}
function back() {
  state.since = ''
  document.documentElement.classList.remove('away')
  at('trouble').hidden = true
}
async function run() {
  if (state.running) return
  state.running = true
  clearTimeout(state.timer)
  if (!document.hidden) {
    try { await round(); back() } catch (error) {
      if (state.public && (error.status === 401 || error.status === 403)) forget(error.message)
      else away(error)
    }
  }
  state.running = false
  state.timer = setTimeout(run, EVERY_MS)
}
at('door').addEventListener('submit', enter)
at('leave').addEventListener('click', () => forget(''))
listen()
run()
