// tallyd: <tally-count ns="blog" key="hello"></tally-count> shows a number that goes up as it happens, and counts nothing.
// Without a key it shows all hits of the namespace.
// <script defer src="https://counter.example/live.js"></script>   before tally.js where a page has both
((d, l) => {
  const s = d.currentScript || d.querySelector('script[src*="live.js"]'), topics = {}, tag = 'tally-count'
  // Over HTTP/1.1 a browser opens six connections to a host, for all its pages. Beyond two of them a page asks now and then.
  let free = 2
  class Topic {
    constructor(ns, key) {
      this.url = kind => new URL(`v1/${kind}/${encodeURIComponent(ns)}` + (key === null ? '?total=1' : '?key=' + encodeURIComponent(key)), s.src)
      this.shown = new Set()
    }
    tell({ value }) {
      for (const e of this.shown) e.textContent = value.toLocaleString()
    }
    ask() {
      fetch(this.url('counters')).then(r => r.json()).then(j => {
        if (!j.error || j.error == 'not_found') this.tell(j.counters ? j.counters[0] || { value: 0 } : { value: j.total || 0 })
      }).catch(() => {})
    }
    open() {
      if (d.hidden || !this.shown.size || this.stream || this.timer) return
      if (free && !this.full) {
        free--
        const stream = this.stream = new EventSource(this.url('stream'))
        stream.addEventListener('count', e => this.tell(JSON.parse(e.data)))
        // It comes again by itself, unless there is no room for it.
        stream.onerror = () => {
          if (stream.readyState < 2) return
          this.full = 1
          this.close()
          this.open()
        }
      } else {
        this.ask()
        this.timer = setInterval(() => this.ask(), 5e3)
      }
    }
    close() {
      if (this.stream) this.stream.close(), free++
      clearInterval(this.timer)
      this.stream = this.timer = 0
    }
  }
  d.addEventListener('visibilitychange', () => {
    for (const t of Object.values(topics)) d.hidden ? t.close() : t.open()
  })
  customElements.get(tag) || customElements.define(tag, class extends HTMLElement {
    connectedCallback() {
      const a = k => this.getAttribute(k), ns = a('ns') || s.dataset.ns || l.hostname.replace(/[^\w.-]+/g, '-')
      this.topic = topics[ns + (a('key') === null ? '' : '/' + a('key'))] ||= new Topic(ns, a('key'))
      this.topic.shown.add(this)
      this.topic.open()
    }
    disconnectedCallback() {
      this.topic.shown.delete(this)
      if (!this.topic.shown.size) this.topic.close()
    }
  })
})(document, location)
