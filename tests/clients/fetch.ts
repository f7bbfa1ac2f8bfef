// openapi-fetch with the types that openapi-typescript wrote: counts, reads and batches at the address it is given.
import createClient from 'openapi-fetch'
import type { paths } from './tallyd.js'

declare const process: { argv: string[] }
const { GET, POST } = createClient<paths>({ baseUrl: process.argv[2] })
const key = '/posts/a b.gif', ns = 'fetch'

function same(what: string, got: unknown, wanted: unknown) {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`${what}: ${JSON.stringify(got)}`)
}

const counted = await POST('/v1/hit/{ns}', { params: { path: { ns }, query: { key, n: 2 } } })
same('a hit', [counted.response.status, counted.response.headers.get('X-Hit-Status')], [204, 'counted'])
const number = await POST('/v1/hit/{ns}', { params: { path: { ns }, query: { key, value: '1' } } })
same('the number', number.data?.value, 3)
const batch = await POST('/v1/hits', { body: { hits: [{ ns, key, n: 4 }, { ns: 'b!', key }] } })
same('a batch', [batch.data?.accepted, batch.data?.errors[0]], [1, { index: 1, error: 'bad_namespace' }])
const many = await GET('/v1/counters/{ns}', { params: { path: { ns }, query: { key: [key, 'none'] } } })
same('many counters', [many.data?.counters?.map((one) => one.value), many.data?.missing], [[7], ['none']])
const one = await GET('/v1/counters/{ns}/{key}', { params: { path: { ns, key } } })
same('a counter', one.data?.value, 7)
const badge = await GET('/v1/hit/{ns}.svg', { params: { path: { ns }, query: { key, format: 'short' } }, parseAs: 'text' })
same('a badge', badge.data?.includes('>8<'), true)
const wrong = await POST('/v1/hit/{ns}', { params: { path: { ns }, query: { key, n: 0 } } })
same('an error', wrong.error?.error, 'bad_n')
