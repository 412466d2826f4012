// Asks @cloud-copilot/iam-simulate. This is the only file that touches it; it is AGPL software, run beside Copymend's tests and
// never part of Copymend.
//
// Its public functions check policies and context keys first and leave the resource policy's own answer and session policies
// out, so this goes to the functions behind them. The exact version is pinned.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const simulate = dirname(require.resolve('@cloud-copilot/iam-simulate'))
const { loadPolicy } = require('@cloud-copilot/iam-policy')
const { anonymousPrincipal } = require('@cloud-copilot/iam-simulate')
const engine = require(join(simulate, 'core_engine/CoreSimulatorEngine.js'))
const { AwsRequestImpl } = require(join(simulate, 'request/request.js'))
const { RequestContextImpl } = require(join(simulate, 'requestContext.js'))
const { DiscoveryContextKeyConstraints } = require(join(simulate, 'context_keys/discoveryContextKeyConstraints.js'))

const PARAMETERS = { simulationMode: 'Strict', discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]) }
const DECISIONS = {
  Allowed: 'allowed',
  AllowedForAccount: 'allowed',
  ExplicitlyDenied: 'explicitly-denied',
  DeniedForAccount: 'explicitly-denied',
  ImplicitlyDenied: 'implicitly-denied',
}

/** The keys that AWS documents as multivalued, in lower case: they are lists even with one value. */
export const MULTIVALUED = new Set(['aws:tagkeys', 'aws:principalorgpaths', 'aws:calledvia'])

/**
 * The condition keys that follow from the principal, from IAM's pages on policy variables and global condition keys. The
 * simulator leaves them to its caller.
 */
export function derivedKeys(principal) {
  if (principal === 'anonymous') {
    return { 'aws:principaltype': 'Anonymous', 'aws:principalaccount': 'anonymous', 'aws:userid': 'anonymous' }
  }
  if (!principal.startsWith('arn:')) {
    return {
      'aws:principalisawsservice': 'true',
      'aws:principalservicename': principal,
      'aws:principalservicenameslist': [principal],
    }
  }
  const [, partition, , , account, resource] = principal.split(':')
  const [kind, ...path] = resource.split('/')
  const keys = { 'aws:principalaccount': account, 'aws:principalisawsservice': 'false', 'aws:principalarn': principal }
  if (kind === 'root') return { ...keys, 'aws:principaltype': 'Account', 'aws:userid': account }
  if (kind === 'user') return { ...keys, 'aws:principaltype': 'User', 'aws:username': path.at(-1) }
  if (kind === 'federated-user') return { ...keys, 'aws:principaltype': 'FederatedUser', 'aws:userid': `${account}:${path[0]}` }
  if (kind === 'assumed-role') keys['aws:principalarn'] = `arn:${partition}:iam::${account}:role/${path[0]}`
  return { ...keys, 'aws:principaltype': 'AssumedRole' }
}

/** What the request's keys hold, in lower case: one value as a string, several as a list. An empty list is no key. */
export function heldKeys(request) {
  const held = derivedKeys(request.principal)
  for (const [name, values] of Object.entries(request.context)) {
    const key = name.toLowerCase()
    if (values.length === 0) delete held[key]
    else held[key] = values.length === 1 && !MULTIVALUED.has(key) ? values[0] : values
  }
  return held
}

function awsRequest(request) {
  return new AwsRequestImpl(
    request.principal === 'anonymous' ? anonymousPrincipal : request.principal,
    { resource: request.resource, accountId: request.resource_account },
    request.action,
    new RequestContextImpl(heldKeys(request)),
  )
}

const load = (policy, index = 0) => loadPolicy(policy, { name: `policy ${index}` })
const FULL_ACCESS = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] }

/** The decision on a case: for a `policy`, that policy's own; otherwise, that of all policies together. */
export function ask(asked) {
  const request = awsRequest(asked.request)
  if (asked.policy) {
    const analysis = engine.analyzeResourcePolicy(load(asked.policy), request, false, PARAMETERS)
    return DECISIONS[analysis.result]
  }
  const levels = (lists, always) => lists.map((policies, index) => ({
    orgIdentifier: `level ${index}`,
    policies: [...always, ...policies].map(load),
  }))
  const analysis = engine.authorize({
    request,
    sessionPolicy: asked.session ? load(asked.session) : undefined,
    identityPolicies: asked.identity.map(load),
    permissionBoundaries: asked.boundary?.map(load),
    serviceControlPolicies: levels(asked.scps, []),
    // Every level has RCPFullAWSAccess; nobody can take it away.
    resourceControlPolicies: levels(asked.rcps, [FULL_ACCESS]),
    resourcePolicy: asked.resource_policy ? load(asked.resource_policy) : undefined,
    vpcEndpointPolicies: undefined,
    simulationParameters: PARAMETERS,
  })
  return DECISIONS[analysis.result]
}
