// tallyd: counts views of this page, and shows counts.
// <script defer src="https://counter.example/tally.js" data-ns="blog" data-key="hello"></script>
((d, w, h, l) => {
  const s = d.currentScript || d.querySelector('[src*="tally.js"]'), o = s.dataset, bad = /[\0-\x1f\x7f{}\ud800-\udfff]/u,
    seen = w.tallies ||= {}, ns = o.ns || l.hostname.replace(/[^\w.-]+/g, '-'), id = [ns, o.key, o.n],
    url = (kind, ns, key) => new URL(`v1/${kind}/${ns}?key=` + encodeURIComponent(key), s.src),
    // A path is its text where that may be a key, else its escapes.
    page = p => { try { const k = decodeURIComponent(p); bad.test(k) || (p = k) } catch {} return p },
    tell = t => j => { t.textContent = j.value.toLocaleString() },
    count = (key, n = 1, t) => {
      const u = () => url('hit', ns, key) + '&n=' + n,
        warn = why => seen.warned ||= !console.warn(`tallyd: not counted: ${ns} ${key}: ${why}`)
      if (!/^[\w.-]{1,64}$/.test(ns) || !key || bad.test(key) || new Blob([key]).size > 256) warn('not a name')
      // A CORS request names its origin under every referrer policy. A beacon does not.
      else if (!t && !('keepalive' in Request.prototype)) navigator.sendBeacon(u())
      else fetch(u() + (t ? '&value=1' : ''), { method: 'POST', keepalive: true, credentials: 'omit' })
        .then(r => r.ok ? t && r.json().then(tell(t)) : warn(r.headers.get('X-Hit-Status') || r.status)).catch(warn)
    },
    view = () => count('spa' in o || !o.key ? page(l.pathname) : o.key, o.n, o.show && d.querySelector(o.show)),
    tags = customElements, tag = 'tally-count'
  w.tally = (key, n) => count(key, n)
  tags.get(tag) || tags.define(tag, class extends HTMLElement {
    connectedCallback() {
      const a = k => this.getAttribute(k), ask = () => d.hidden ||
        fetch(url('counters', a('ns') || ns, a('key'))).then(r => r.json())
          .then(j => tell(this)(j.counters[0] || { value: 0 })).catch(() => {})
      ask()
      this.timer = setInterval(ask, 5e3)
    }
    disconnectedCallback() { clearInterval(this.timer) }
  })
  if (seen[id]) return
  seen[id] = 1
  if ('spa' in o) {
    let at = l.pathname
    const push = h.pushState, moved = () => at != (at = l.pathname) && view()
    h.pushState = (...a) => { push.apply(h, a); moved() }
    addEventListener('popstate', moved)
  }
  addEventListener('pageshow', e => e.persisted && view())
  d.prerendering ? d.addEventListener('prerenderingchange', view, { once: 1 }) : view()
})(document, window, history, location)
