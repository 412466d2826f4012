// Where AWS's pages decide against the simulator, each as a rewrite: it says the same to AWS in words that the simulator reads
// as AWS does. `disagreements.md` names the page for each. A rewrite that changes what Copymend answers is a fault, and so is a
// case on which the simulator still differs after all of them.

import { heldKeys } from './simulator.mjs'

const NOBODY = 'arn:aws:iam::000000000000:role/Nobody'
const NO_VALUE = 'copymend:no-value'
const NEVER = { string: 'never-a-value', arn: 'arn:aws:never:::never' }

function policies(asked) {
  return [
    asked.policy, asked.resource_policy, asked.session, ...(asked.identity ?? []), ...(asked.boundary ?? []),
    ...(asked.scps ?? []).flat(), ...(asked.rcps ?? []).flat(),
  ].filter(Boolean)
}

const asList = (value) => (Array.isArray(value) ? value : [value])
const statements = (policy) => asList(policy.Statement)
const allStatements = (asked) => policies(asked).flatMap(statements)

/**
 * Calls `change(operator, key, values)` on every condition. A list it returns takes the values' place, a text the key's; `null`
 * takes the condition out.
 */
function eachCondition(list, change) {
  for (const statement of list) {
    for (const [name, keys] of Object.entries(statement.Condition ?? {})) {
      const [, set, base, ifExists] = /^(?:(\w+):)?(\w+?)(IfExists)?$/i.exec(name)
      for (const [key, values] of Object.entries(keys)) {
        const operator = { set: set?.toLowerCase(), base: base.toLowerCase(), ifExists: Boolean(ifExists) }
        const changed = change(operator, key.toLowerCase(), asList(values))
        if (changed === null || typeof changed === 'string') delete keys[key]
        if (typeof changed === 'string') keys[changed] = values
        else if (changed) keys[key] = changed
      }
    }
  }
}

const negated = (operator) => operator.base.includes('not')
const texts = (operator) => operator.base.startsWith('string')
const arns = (operator) => operator.base.startsWith('arn')

/** Every `${…}` of a text, given to `change(key, default)`; characters that stand for themselves are left. */
function eachVariable(text, change) {
  return text.replace(/\$\{([^}]*)\}/g, (whole, inside) => {
    if (['*', '?', '$'].includes(inside)) return whole
    const [, key, fallback] = /^(.*?)(?:, '(.*)')?$/.exec(inside)
    return change(key.toLowerCase(), fallback) ?? whole
  })
}

/** Calls `change` on every grantee under `AWS` of the policies that name principals. */
function eachGrantee(asked, change) {
  for (const policy of [asked.policy, asked.resource_policy].filter(Boolean)) {
    for (const statement of statements(policy)) {
      for (const element of ['Principal', 'NotPrincipal']) {
        const named = statement[element]
        if (named?.AWS) named.AWS = asList(named.AWS).map((grantee) => change(grantee) ?? grantee)
      }
    }
  }
}

function principalParts(asked) {
  const [, partition, , , account, resource] = asked.request.principal.split(':')
  const [kind, ...path] = (resource ?? '').split('/')
  return { partition, account, kind, path }
}

const isService = (asked) => /\.amazonaws\.com$/.test(asked.request.principal)

function isServiceLinked(asked) {
  const { kind, path } = principalParts(asked)
  if (kind === 'role') return path[0] === 'aws-service-role'
  const given = Object.entries(asked.request.context).find(([key]) => key.toLowerCase() === 'aws:principalarn')
  if (kind !== 'assumed-role') return false
  return given ? given[1][0].includes(':role/aws-service-role/') : path[0].startsWith('AWSServiceRoleFor')
}

const crossAccount = (asked) => principalParts(asked).account !== asked.request.resource_account

export const REWRITES = {
  'no-variables-in-2008': (asked) => {
    if (!asked.policy || asked.policy.Version === '2012-10-17') return
    const literal = (value) => JSON.parse(JSON.stringify(value).replaceAll('${', '#{'))
    asked.policy = literal(asked.policy)
    asked.request.context = literal(asked.request.context)
  },

  'escapes-without-wildcards': (asked) => {
    eachCondition(allStatements(asked), (operator, _, values) =>
      texts(operator) && !operator.base.endsWith('like')
        ? values.map((value) => (typeof value === 'string' ? value.replace(/\$\{([*?$])\}/g, '$1') : value))
        : undefined)
  },

  'empty-value-is-none': (asked) => {
    const held = heldKeys(asked.request)
    const empty = (key) => key in held && asList(held[key]).every((value) => value === '')
    const unset = (text) => eachVariable(text, (key, fallback) =>
      (empty(key) ? `\${${NO_VALUE}${fallback === undefined ? '' : `, '${fallback}'`}}` : undefined))
    for (const statement of allStatements(asked)) {
      for (const element of ['Resource', 'NotResource']) {
        if (statement[element]) statement[element] = asList(statement[element]).map(unset)
      }
    }
    eachCondition(allStatements(asked), (operator, key, values) => {
      if (operator.set === 'forallvalues' && operator.base !== 'null' && empty(key)) return null
      if (operator.base === 'null' && empty(key)) return `${NO_VALUE}:${key}`
      return values.map((value) => (typeof value === 'string' ? unset(value) : value))
    })
  },

  'arn-variables': (asked) => {
    const held = heldKeys(asked.request)
    eachCondition(allStatements(asked), (operator, _, values) => {
      if (!arns(operator)) return undefined
      return values.map((value) => {
        const resource = value.split(':').slice(5).join(':')
        if (!value.slice(0, value.length - resource.length).includes('${') && resource !== '') return value
        let known = true
        const filled = eachVariable(value, (key, fallback) => {
          const found = typeof held[key] === 'string' ? held[key] : key in held ? undefined : fallback
          known &&= found !== undefined && !/[*?$]/.test(found)
          return found
        })
        return known ? filled : NEVER.arn
      })
    })
  },

  'no-value-is-not-equal': (asked) => {
    const held = heldKeys(asked.request)
    eachCondition(allStatements(asked), (operator, _, values) => {
      if (!negated(operator) || !(texts(operator) || arns(operator))) return undefined
      return values.map((value) => {
        let missing = false
        eachVariable(String(value), (key, fallback) => {
          missing ||= typeof held[key] !== 'string' && (key in held || fallback === undefined)
        })
        return missing ? NEVER[arns(operator) ? 'arn' : 'string'] : value
      })
    })
  },

  'a-resource-without-value-is-none': (asked) => {
    const held = heldKeys(asked.request)
    for (const statement of allStatements(asked)) {
      if (!statement.NotResource) continue
      statement.NotResource = asList(statement.NotResource).map((resource) => {
        let missing = false
        eachVariable(resource, (key, fallback) => {
          missing ||= typeof held[key] !== 'string' && (key in held || fallback === undefined)
        })
        return missing ? NEVER.arn : resource
      })
    }
  },

  'a-last-wildcard-passes-colons': (asked) => {
    for (const statement of allStatements(asked)) {
      if (!statement.NotResource) continue
      statement.NotResource = asList(statement.NotResource).map((resource) => {
        const parts = resource.split(':')
        if (!resource.startsWith('arn:') || !resource.endsWith('*')) return resource
        while (parts.length < 6) parts.push('*')
        return parts.join(':')
      })
    }
  },

  'epoch-in-seconds': (asked) => {
    const moment = (value) => {
      const text = String(value)
      if (/^\d{4}$/.test(text)) return `${text}-01-01T00:00:00Z`
      return /^\d+$/.test(text) ? new Date(Number(text) * 1000).toISOString() : value
    }
    for (const [key, values] of Object.entries(asked.request.context)) {
      if (/^aws:(currenttime|tokenissuetime|epochtime)$/i.test(key)) asked.request.context[key] = values.map(moment)
    }
    eachCondition(allStatements(asked), (operator, _, values) =>
      (operator.base.startsWith('date') ? values.map(moment) : undefined))
  },

  'every-ipv4-address': (asked) => {
    eachCondition(allStatements(asked), (operator, _, values) => (operator.base.endsWith('ipaddress')
      ? values.flatMap((value) => (value === '0.0.0.0/0' ? ['0.0.0.0/1', '128.0.0.0/1'] : [value]))
      : undefined))
  },

  'address-without-prefix': (asked) => {
    eachCondition(allStatements(asked), (operator, _, values) => {
      if (!operator.base.endsWith('ipaddress')) return undefined
      return values.map((value) => {
        if (/^[\d.]+$/.test(value)) return `${value}/32`
        return /^[\da-f:]+$/i.test(value) && value.includes(':') ? `${value}/128` : value
      })
    })
  },

  'if-exists-and-any-value': (asked) => {
    const held = heldKeys(asked.request)
    eachCondition(allStatements(asked), (operator, key) =>
      (operator.set === 'foranyvalue' && operator.ifExists && !(key in held) ? null : undefined))
  },

  'accounts-have-a-partition': (asked) => {
    const { partition } = principalParts(asked)
    eachGrantee(asked, (grantee) => {
      const [, of, , , , resource] = grantee.split(':')
      return resource === 'root' && of !== partition ? NOBODY : undefined
    })
  },

  'a-role-by-its-whole-name': (asked) => {
    const { kind, path, partition, account } = principalParts(asked)
    if (kind !== 'assumed-role') return
    const given = Object.entries(asked.request.context).find(([key]) => key.toLowerCase() === 'aws:principalarn')?.[1][0]
    eachGrantee(asked, (grantee) => {
      const [, of, , , id, resource] = grantee.split(':')
      const [granted, ...named] = (resource ?? '').split('/')
      if (granted !== 'role' || of !== partition || id !== account) return undefined
      const same = given ? grantee === given : named.at(-1) === path[0]
      return same ? undefined : NOBODY
    })
  },

  'unique-ids': (asked) => {
    const held = heldKeys(asked.request)
    eachGrantee(asked, (grantee) => {
      if (!/^A(ID|RO)A/.test(grantee)) return undefined
      const same = held['aws:userid']?.split(':')[0] === grantee
      return same ? held['aws:principalarn'] : undefined
    })
  },

  'service-linked-roles-are-exempt': (asked) => {
    if (!asked.policy && isServiceLinked(asked)) {
      asked.scps = []
      asked.rcps = []
    }
  },

  'scps-bind-users-and-roles': (asked) => {
    if (!asked.policy && isService(asked)) asked.scps = []
  },

  'rcps-bind-some-services': (asked) => {
    const action = asked.request.action.toLowerCase()
    if (!asked.policy && (action.startsWith('backup:') || action === 'kms:retiregrant')) asked.rcps = []
  },

  'the-root-user-needs-no-policy': (asked) => {
    if (!asked.policy && principalParts(asked).kind === 'root') {
      asked.identity.push({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] })
    }
  },

  'vaults-share-copies-only': (asked) => {
    const { action } = asked.request
    const shares = !/^backup:/i.test(action) || /^backup:copyintobackupvault$/i.test(action)
    if (!asked.resource_policy || shares || isService(asked) || !principalParts(asked).account || !crossAccount(asked)) return
    asked.resource_policy.Statement = statements(asked.resource_policy).filter((statement) => statement.Effect === 'Deny')
  },

  'a-grant-to-the-session-itself': (asked) => {
    if (!asked.session || !asked.resource_policy || crossAccount(asked)) return
    const direct = (statement) => {
      const named = statement.Principal
      return named === '*' || asList(named?.AWS ?? []).some((grantee) => grantee === '*' || grantee === asked.request.principal)
    }
    const granted = statements(asked.resource_policy)
      .filter((statement) => statement.Effect === 'Allow' && direct(statement))
      .map(({ Principal: _, ...rest }) => structuredClone(rest))
    asked.session.Statement = [...statements(asked.session), ...granted]
  },
}

/** The case with these rewrites, and the names of those that changed it. */
export function rewritten(asked, names = Object.keys(REWRITES)) {
  const changed = []
  const copy = structuredClone(asked)
  for (const name of names) {
    const before = canonical(copy)
    REWRITES[name](copy)
    if (canonical(copy) !== before) changed.push(name)
  }
  return { asked: copy, changed }
}

/** Text that is the same for a value and a list of one. */
function canonical(asked) {
  return JSON.stringify(asked, (_, value) => (Array.isArray(value) && value.length === 1 ? value[0] : value))
}
