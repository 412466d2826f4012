// Compares Copymend's decisions with the simulator's: `compare.mjs DECIDE [COUNT] [SEED]`, where DECIDE is the built example
// `decide` of copymend-policy. Any difference that `disagreements.mjs` doesn't explain is printed and fails.

import { spawnSync } from 'node:child_process'

import { REWRITES, rewritten } from './disagreements.mjs'
import { cases, unknownKeys } from './generator.mjs'
import { ask } from './simulator.mjs'

const [decide, count = '24000', seed = '1'] = process.argv.slice(2)
if (!decide || !(Number(count) > 0)) {
  console.error('usage: compare.mjs DECIDE [COUNT] [SEED]')
  process.exit(2)
}
process.env.TZ = 'UTC'

function ours(asked) {
  const run = spawnSync(decide, { input: asked.map((one) => `${JSON.stringify(one)}\n`).join(''), maxBuffer: 2 ** 30 })
  if (run.status !== 0) throw new Error(`${decide}: ${run.error ?? run.stderr}`)
  const answers = run.stdout.toString().trimEnd().split('\n').map((line) => JSON.parse(line).decision)
  if (answers.length !== asked.length) throw new Error(`${answers.length} answers to ${asked.length} questions`)
  return answers
}

const all = [...cases(Number(seed), Number(count))]
const plain = all.map((asked) => rewritten(asked))
const hidden = all.map((asked, index) => ({ ...asked, unknown: unknownKeys(Number(seed), index) }))
const decided = ours(all)
const decidedPlain = ours(plain.map((one) => one.asked))
const decidedHidden = ours(hidden)

const tally = {}
const classes = Object.fromEntries(Object.keys(REWRITES).map((name) => [name, 0]))
const faults = []
let disagreements = 0
let undecided = 0

function fault(what, asked, answers) {
  faults.push(`${what}\n  ${JSON.stringify(answers)}\n  ${JSON.stringify(asked)}`)
}

/** The rewrites without which the simulator would still differ. */
function needed(asked, wanted, changed) {
  return changed.reduce((kept, name) => {
    const fewer = kept.filter((other) => other !== name)
    return ask(rewritten(asked, fewer).asked) === wanted ? fewer : kept
  }, changed)
}

for (const [index, asked] of all.entries()) {
  const kind = asked.policy ? 'evaluate' : 'authorize'
  const decision = decided[index]
  tally[`${kind} ${decision}`] = (tally[`${kind} ${decision}`] ?? 0) + 1
  const { asked: reading, changed } = plain[index]
  const simulated = ask(asked)
  const simulatedReading = changed.length > 0 ? ask(reading) : simulated
  if (simulatedReading !== decision) {
    fault('disagreement', asked, { copymend: decision, simulator: simulatedReading, rewrites: changed })
  } else if (simulated !== decision) {
    disagreements += 1
    for (const name of needed(asked, decision, changed)) classes[name] += 1
  }
  if (decidedPlain[index] !== decision) {
    fault('a rewrite changes the answer', asked, { before: decision, after: decidedPlain[index], rewrites: changed })
  }
  // With keys hidden the answer may only become unknown.
  if (decidedHidden[index] === 'unknown') undecided += 1
  else if (decidedHidden[index] !== decision) {
    fault('a hidden key changes the answer', hidden[index], { known: decision, hidden: decidedHidden[index] })
  }
}

const width = Math.max(...Object.keys(classes).map((name) => name.length))
const row = ([name, number]) => console.log(`  ${name.padEnd(width)} ${String(number).padStart(7)}`)
console.log(`${all.length} requests, seed ${seed}`)
Object.entries(tally).sort().forEach(row)
row(['unknown where keys are hidden', undecided])
console.log(`${disagreements} of them are answered otherwise by the simulator, for reasons in disagreements.md`)
Object.entries(classes).forEach(row)
console.log(`${faults.length} unexplained`)
if (faults.length > 0) {
  console.error(faults.slice(0, 5).join('\n'))
  process.exit(1)
}
