// The API, as /openapi.json describes it: each route with what it takes, what it answers, and a command to try it.
'use strict'
const METHODS = ['get', 'post', 'put', 'delete']
const at = (id) => document.getElementById(id)
let api

// ---- elements ----
function make(tag, attributes, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes || {})) node[name] = value
  node.append(...children)
  return node
}
const named = (title, ...content) => make('div', {}, make('h3', { textContent: title }), ...content)
function table(heads, rows) {
  const head = make('tr', {}, ...heads.map((text) => make('th', { scope: 'col', textContent: text })))
  return make('table', {}, make('thead', {}, head), make('tbody', {}, ...rows.map((cells) => make('tr', {}, ...cells.map((cell) => make('td', {}, cell))))))
}
const code = (text) => make('code', { textContent: text })

// ---- the document ----
const resolved = (thing) => thing.$ref ? resolved(thing.$ref.slice(2).split('/').reduce((node, name) => node[name], api)) : thing
const isAdmin = (operation) => operation.tags[0] === 'admin'

function typed(given) {
  const schema = resolved(given), type = schema.const !== undefined ? JSON.stringify(schema.const) : [].concat(schema.type || 'any').join(' or ')
  const limits = []
  if (schema.enum) limits.push('one of ' + schema.enum.join(', '))
  if (schema.minimum !== undefined || schema.maximum !== undefined) limits.push(`${schema.minimum ?? 'any'} to ${schema.maximum ?? 'any'}`)
  if (schema.maxLength) limits.push(`${schema.minLength || 0} to ${schema.maxLength} characters`)
  if (schema.items) limits.push(`${schema.minItems || 0} to ${schema.maxItems || 'any number of'} items`)
  if (schema.default !== undefined) limits.push(`${schema.default} when left out`)
  return [type, ...limits].join('; ')
}

// What a value of that kind looks like, as JSON.
function example(given, depth = 0) {
  const schema = resolved(given), one = schema.oneOf || schema.anyOf
  if (schema.example !== undefined) return schema.example
  if (schema.const !== undefined) return schema.const
  if (one) return example(one[0], depth)
  if (schema.enum) return schema.enum[0]
  const type = [].concat(schema.type)[0]
  if (type === 'object') return Object.fromEntries(Object.entries(schema.properties || {}).map(([name, of]) => [name, name === 'ns' ? 'blog' : name === 'key' ? 'page-1' : example(of, depth + 1)]))
  if (type === 'array') return depth < 4 && schema.items ? [example(schema.items, depth + 1)] : []
  return { integer: schema.minimum > 0 ? schema.minimum : 42, number: 1.5, boolean: true }[type] ?? (schema.format === 'date-time' ? '2026-12-01T12:00:00Z' : '…')
}
const shaped = (schema) => make('pre', { tabIndex: 0, textContent: JSON.stringify(example(schema), null, 2) })

// ---- a route ----
function command(method, path, parameters, operation, tokens) {
  const query = parameters.filter((one) => one.in === 'query' && one.required).map((one) => `${one.name}=${one.name === 'key' ? 'page-1' : 'page'}`)
  const base = isAdmin(operation) ? (api.paths[path].servers || [{ url: location.origin }])[0].url : api.servers[0].url
  const url = base + path.replace('{ns}', 'blog').replace('{key}', 'page-1') + (query.length ? '?' + query.join('&') : '')
  const words = ['curl', '-i']
  if (method !== 'get') words.push('-X', method.toUpperCase())
  if (tokens === 'needed') words.push('-H', '"Authorization: Bearer $TOKEN"')
  const body = operation.requestBody && operation.requestBody.content['application/json']
  if (body) words.push('-d', `'${JSON.stringify(example(body.schema))}'`)
  return make('pre', { tabIndex: 0, textContent: [...words, `'${url}'`].join(' ') })
}

function tokensOf(operation) {
  const ways = operation.security || api.security || []
  return !ways.some((way) => way.token) ? 'none' : ways.some((way) => !Object.keys(way).length) ? 'taken' : 'needed'
}

function answers(operation) {
  return table(['Status', 'When'], Object.entries(operation.responses).map(([status, given]) => {
    const answer = resolved(given), content = Object.values(answer.content || {})[0]
    const json = status.startsWith('2') && answer.content && answer.content['application/json']
    return [code(status), make('div', {}, make('p', { textContent: answer.description || '' }), ...json && content.schema ? [shaped(content.schema)] : [])]
  }))
}

function filled(method, path, operation) {
  const parameters = [...api.paths[path].parameters || [], ...operation.parameters || []].map(resolved), tokens = tokensOf(operation), parts = []
  if (operation.description) parts.push(make('p', { textContent: operation.description }))
  if (tokens === 'needed') parts.push(make('p', { className: 'lock', textContent: 'Needs a token of --token-file, or the admin port where it only reads.' }))
  if (tokens === 'taken') parts.push(make('p', { className: 'note', textContent: 'Needs a token where --access-file says so of the namespace.' }))
  if (parameters.length) {
    parts.push(named('What it takes', table(['Name', 'Where', 'What'], parameters.map((one) =>
      [code(one.name), one.in + (one.required ? ', needed' : ''), [one.description, typed(one.schema)].filter(Boolean).join(' (') + (one.description ? ')' : '')]))))
  }
  const body = operation.requestBody && operation.requestBody.content['application/json']
  if (body) parts.push(named('Body', shaped(body.schema)))
  parts.push(named('Answers', answers(operation)), named('Try it', command(method, path, parameters, operation, tokens)))
  return make('div', {}, ...parts)
}

// Filled when it is opened for the first time, as there are many.
function route(method, path, operation) {
  const head = make('summary', {}, make('b', { textContent: method.toUpperCase() }), code(path), make('span', { textContent: operation.summary }))
  const node = make('details', { id: operation.operationId }, head)
  node.dataset.words = `${method} ${path} ${operation.summary} ${operation.description || ''} ${tokensOf(operation) === 'needed' ? 'token' : ''}`.toLowerCase()
  node.addEventListener('toggle', () => { if (node.open && !node.children[1]) node.append(filled(method, path, operation)) })
  return node
}

// ---- the page ----
function section(tag) {
  const found = Object.entries(api.paths).flatMap(([path, ways]) => METHODS.filter((method) => ways[method] && ways[method].tags[0] === tag.name).map((method) => route(method, path, ways[method])))
  const title = make('h2', { id: `part-${tag.name}`, textContent: tag.name })
  at('parts').append(make('a', { href: `#part-${tag.name}`, textContent: tag.name }), ' ')
  return make('section', {}, title, make('p', { textContent: tag.description }), ...found)
}

function find() {
  const words = at('find').value.toLowerCase().split(/\s+/).filter(Boolean), all = [...document.querySelectorAll('details')]
  for (const node of all) node.hidden = !words.every((word) => node.dataset.words.includes(word))
  for (const part of document.querySelectorAll('section')) part.hidden = !part.querySelector('details:not([hidden])')
  at('found').textContent = words.length ? `${all.filter((node) => !node.hidden).length} of ${all.length}` : `${all.length} routes. HEAD is GET without a body.`
}

// A link to a route opens it.
function openLinked() {
  const node = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (node && node.tagName === 'DETAILS') { node.open = true; node.scrollIntoView() }
}

async function begin() {
  const answer = await fetch('/openapi.json')
  if (!answer.ok) throw new Error(`/openapi.json: ${answer.status}`)
  api = await answer.json()
  at('about').textContent = api.info.description
  at('routes').append(...api.tags.map(section))
  at('find').addEventListener('input', find)
  addEventListener('hashchange', openLinked)
  find()
  openLinked()
}

begin().catch((error) => {
  at('trouble').textContent = `The description of the API could not be shown: ${error.message}`
  at('trouble').hidden = false
})
