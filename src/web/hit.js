// tallyd: counts views of this page, in the fewest bytes. tally.js can do more.
// <script defer src="https://counter.example/hit.js" data-ns="blog" data-key="hello"></script>
((d, l) => {
  const s = d.currentScript || d.querySelector('script[src*="hit.js"]'), o = s.dataset, bad = /[\0-\x1f\x7f{}]/,
    page = p => { try { const k = decodeURIComponent(p); return bad.test(k) ? p : k } catch { return p } },
    ns = o.ns || l.hostname.replace(/[^\w.-]+/g, '-'), key = o.key || page(l.pathname), seen = window.tallies ||= {},
    u = new URL(`v1/hit/${ns}?n=${o.n || 1}&key=` + encodeURIComponent(key), s.src),
    warn = why => console.warn(`tallyd: not counted: ${ns} ${key}: ${why}`),
    view = () => 'keepalive' in Request.prototype
      ? fetch(u, { method: 'POST', keepalive: true, credentials: 'omit' })
        .then(r => r.ok || warn(r.headers.get('X-Hit-Status') || r.status), warn)
      : navigator.sendBeacon(u)
  if (!/^[\w.-]{1,64}$/.test(ns) || bad.test(key) || new Blob([key]).size > 256) return warn('not a name')
  if (seen[u]) return
  seen[u] = 1
  addEventListener('pageshow', e => e.persisted && view())
  d.prerendering ? d.addEventListener('prerenderingchange', view, { once: true }) : view()
})(document, location)
