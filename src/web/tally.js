/* tallyd: counts this page once. <script defer src="…/tally.js" data-ns="blog" data-key="hello"></script>
Without data-ns: the host; without data-key: the path. data-n: how many. data-show: selector of what shows the count */
(() => {
  const s = document.currentScript, d = s.dataset, e = encodeURIComponent, l = location,
    path = e(d.ns || l.hostname) + '/' + (d.key ? e(d.key) : '%2F' + l.pathname.slice(1)),
    u = new URL('v1/hit/' + path.replace(/\.(?=\w+$)/, '%2E') + '?n=' + (d.n || 1), s.src).href,
    post = q => fetch(u + q, { method: 'POST', keepalive: true, credentials: 'omit' }),
    go = () => {
      const t = d.show && document.querySelector(d.show)
      if (t) post('&value=1').then(r => r.json()).then(j => { t.textContent = j.value }, () => {})
      else navigator.sendBeacon?.(u) || post('').catch(() => {})
    }, seen = window.tallies ||= {}
  if (seen[u]) return
  seen[u] = 1
  document.prerendering ? document.addEventListener('prerenderingchange', go, { once: true }) : go()
})()
