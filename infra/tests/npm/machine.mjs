// Walks a Step Functions machine whose query language is JSONata, with answers that a test gives.
// Reads [{definition, input, context, answers}] on stdin; answers: state → list of {result} or {error}, the last of which stays.
// Writes [{status, error, path, calls, variables, seconds}]: the states in order, each call as {state, resource, arguments}.
// An expression that cannot be evaluated, or evaluates to nothing, is the error States.QueryEvaluationError, as it is there.
import jsonata from 'jsonata'

const QUERY = 'States.QueryEvaluationError'
const LIMIT = 500

class Failure extends Error {
  constructor(name, cause) {
    super(cause)
    this.name = name
  }
}

async function evaluate(text, states, variables) {
  let value
  try {
    value = await jsonata(text.slice(2, -2).trim()).evaluate({}, { ...variables, states })
  } catch (e) {
    throw new Failure(QUERY, `${text}: ${e.message}`)
  }
  if (value === undefined) throw new Failure(QUERY, `${text} evaluates to nothing`)
  return JSON.parse(JSON.stringify(value))
}

async function resolve(template, states, variables) {
  if (typeof template === 'string') return /^\{%.*%\}$/s.test(template) ? evaluate(template, states, variables) : template
  if (Array.isArray(template)) return Promise.all(template.map((t) => resolve(t, states, variables)))
  if (template === null || typeof template !== 'object') return template
  const out = {}
  for (const [k, v] of Object.entries(template)) out[k] = await resolve(v, states, variables)
  return out
}

const matches = (names, error) => names.includes(error) || names.includes('States.ALL') || (names.includes('States.TaskFailed') && error !== 'States.Timeout')

class Machine {
  constructor({ definition, input, context, answers }) {
    Object.assign(this, { definition, input: input ?? {}, context, variables: {}, path: [], calls: [], seconds: 0 })
    this.answers = structuredClone(answers ?? {})
  }

  answer(name) {
    const list = this.answers[name] ?? []
    const next = list.length > 1 ? list.shift() : list[0]
    if (!next) throw new Error(`no answer for ${name}`)
    if (next.error) throw new Failure(next.error, 'as the test says')
    return next.result
  }

  async attempt(name, state, states) {
    let result
    if (state.Type === 'Task') {
      const args = await resolve(state.Arguments ?? {}, states, this.variables)
      this.calls.push({ state: name, resource: state.Resource, arguments: args })
      result = this.answer(name)
    }
    return result
  }

  // The result of a task, or the state that caught its error.
  async task(name, state, states) {
    const tried = (state.Retry ?? []).map(() => 0)
    for (;;) {
      try {
        states.result = await this.attempt(name, state, states)
        return await this.leave(state, states)
      } catch (e) {
        if (!(e instanceof Failure)) throw e
        const i = (state.Retry ?? []).findIndex((r) => matches(r.ErrorEquals, e.name))
        if (i >= 0 && tried[i] < (state.Retry[i].MaxAttempts ?? 3)) {
          this.seconds += (state.Retry[i].IntervalSeconds ?? 1) * (state.Retry[i].BackoffRate ?? 2) ** tried[i]
          tried[i] += 1
          continue
        }
        const caught = (state.Catch ?? []).find((c) => matches(c.ErrorEquals, e.name))
        if (!caught) throw e
        return caught.Next
      }
    }
  }

  // Variables and output of a state; all of them see the values from before.
  async leave(step, states) {
    const assigned = await resolve(step.Assign ?? {}, states, this.variables)
    const output = step.Output === undefined ? states.result ?? states.input : await resolve(step.Output, states, this.variables)
    Object.assign(this.variables, assigned)
    this.input = output
    return step.Next
  }

  async choose(state, states) {
    for (const c of state.Choices) {
      const verdict = await evaluate(c.Condition, states, this.variables)
      if (typeof verdict !== 'boolean') throw new Failure(QUERY, `${c.Condition} is no boolean`)
      if (verdict) return this.leave(c, states)
    }
    if (!state.Default) throw new Failure('States.NoChoiceMatched', 'no choice')
    return state.Default
  }

  async step(name) {
    const state = this.definition.States[name]
    if (!state) throw new Error(`no state ${name}`)
    this.path.push(name)
    if (this.path.length > LIMIT) throw new Error(`no end after ${LIMIT} states`)
    const states = { input: this.input, context: this.context }
    if (state.Type === 'Task') return this.task(name, state, states)
    if (state.Type === 'Choice') return this.choose(state, states)
    if (state.Type === 'Fail') throw new Failure(state.Error, state.Cause)
    if (state.Type === 'Succeed') return null
    if (state.Type === 'Wait') this.seconds += state.Seconds
    else if (state.Type !== 'Pass') throw new Error(`states of type ${state.Type} are not walked`)
    return this.leave(state, states)
  }

  async run() {
    const end = (status, error) => ({ status, ...error, path: this.path, calls: this.calls, variables: this.variables, seconds: this.seconds })
    try {
      for (let name = this.definition.StartAt; name; ) name = await this.step(name)
    } catch (e) {
      if (!(e instanceof Failure)) throw e
      return end('FAILED', { error: e.name, cause: e.message })
    }
    return end('SUCCEEDED')
  }
}

let text = ''
for await (const chunk of process.stdin) text += chunk
const out = []
for (const job of JSON.parse(text)) out.push(await new Machine(job).run())
process.stdout.write(JSON.stringify(out))
