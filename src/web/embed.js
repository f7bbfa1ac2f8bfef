// The page at /embed?ns=blog&key=hello&label=visits, for an iframe of any page. Without a key it shows all of the namespace.
const asked = new URLSearchParams(location.search), label = asked.get('label') || ''
for (const name of ['ns', 'key']) if (asked.has(name)) document.querySelector('tally-count').setAttribute(name, asked.get(name))
document.getElementById('label').textContent = label
document.title = label || 'A count'
