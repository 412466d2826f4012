// Makes requests with the policies that answer them: the same ones for the same seed.

export const OWN = '111122223333'
export const OTHER = '444455556666'

/** A source of chance that can be repeated (mulberry32). */
export function chance(seed) {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const below = (count) => Math.floor(next() * count)
  const pick = (list) => list[below(list.length)]
  const some = (list, most) => Array.from({ length: 1 + below(most) }, () => pick(list))
  const maybe = (share) => next() < share
  return { below, pick, some, maybe }
}

const PRINCIPALS = [
  `arn:aws:iam::${OWN}:role/Job`,
  `arn:aws:iam::${OWN}:role/service-role/Job`,
  `arn:aws:sts::${OWN}:assumed-role/Job/s1`,
  `arn:aws:sts::${OWN}:assumed-role/Other/s2`,
  `arn:aws:iam::${OTHER}:user/alice`,
  `arn:aws:iam::${OTHER}:user/team/bob`,
  `arn:aws:iam::${OWN}:root`,
  `arn:aws:iam::${OTHER}:root`,
  `arn:aws:sts::${OTHER}:federated-user/alice`,
  `arn:aws:iam::${OTHER}:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup`,
  `arn:aws:sts::${OTHER}:assumed-role/AWSServiceRoleForBackup/s3`,
  `arn:aws-cn:iam::${OWN}:role/Job`,
  'backup.amazonaws.com',
  'ec2.amazonaws.com',
  'anonymous',
]

const GRANTEES = [
  ...PRINCIPALS.slice(0, 12),
  OWN,
  OTHER,
  '999999999999',
  '*',
  'AROAEXAMPLEID0000001',
  'AIDAEXAMPLEID0000002',
  `arn:aws:iam::${OWN}:role/*`,
  `arn:aws:iam::${OWN}:role/job`,
  `arn:aws-us-gov:iam::${OWN}:root`,
]

const ACTIONS = [
  'backup:CopyIntoBackupVault', 'backup:CopyIntoBackupVault', 'backup:DescribeBackupVault', 'kms:Decrypt', 'kms:CreateGrant',
  'kms:DescribeKey', 'kms:RetireGrant',
]
const ACTION_PATTERNS = [
  ...ACTIONS, '*', 'kms:*', 'backup:*', 'kms:De*', 'KMS:decrypt', 'backup:Copy*Vault', 'kms:?ecrypt', 'kms:*Grant',
  'backup:copyintobackupvault', 'sqs:*',
]

const vault = (account, name) => `arn:aws:backup:eu-west-1:${account}:backup-vault:${name}`
const key = (account) => `arn:aws:kms:eu-west-1:${account}:key/1234`
const RESOURCE_PATTERNS = [
  vault(OTHER, 'copies'), vault(OWN, 'copies'), vault(OTHER, 'My/Vault'), key(OTHER), key(OWN), '*', '*', '*',
  'arn:aws:backup:*:*:backup-vault:*', `arn:aws:kms:*:${OTHER}:key/*`, `arn:aws:backup:eu-*:${OTHER}:backup-vault:co?ies`,
  'arn:aws:backup:*', 'arn:aws:kms:eu-west-?:*:*', `arn:aws:backup:eu-west-1:${OTHER}:*`, 'arn:aws:kms:us-*:*:key/*',
  `arn:aws:kms:eu-west-1:${OTHER}:key/\${aws:PrincipalTag/key}`,
  "arn:aws:backup:eu-west-1:*:backup-vault:${aws:PrincipalTag/none, 'copies'}",
  'arn:aws:backup:eu-west-1:*:backup-vault:${aws:PrincipalTag/vault}*',
  `arn:aws:kms:eu-west-1:${OWN}:key/\${aws:TagKeys}`,
]

/** Condition keys by the type of their values: what requests hold, what policies ask, and the operators for it. */
const TYPES = [
  {
    keys: ['aws:PrincipalOrgID', 'aws:PrincipalTag/team', 'kms:ViaService', 'aws:SourceVpc'],
    held: ['o-abcdefghij', 'o-zzzzzzzzzz', 'red', 'Red', 'ec2.eu-west-1.amazonaws.com', 'vpc-1', 'a*', 'a?c', 'abc', '*', '$',
      '${aws:PrincipalTag/team}', 'x-red', ''],
    asked: ['o-abcdefghij', 'red', 'RED', 're*', '*', 'ec2.*.amazonaws.com', 'vpc-?', 'a*', 'a?c', 'abc', '',
      '${aws:PrincipalTag/team}', "${aws:PrincipalTag/none, 'red'}", 'x-${aws:PrincipalTag/team}', '${aws:SourceVpc}',
      '${aws:PrincipalTag/none}', 'a${*}', 'a${?}c', '${$}', '${aws:TagKeys}', '${unclosed'],
    operators: ['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', 'StringLike',
      'StringNotLike'],
  },
  {
    keys: ['aws:TagKeys', 'aws:PrincipalOrgPaths', 'aws:CalledVia'],
    many: true,
    held: ['Env', 'env', 'Cost', 'o-a/r-b/ou-c/', 'o-a/r-b/ou-d/x/', ''],
    asked: ['Env', 'Cost', 'env', 'o-a/r-b/ou-c/*', 'o-a/*', 'E*', '${aws:PrincipalTag/team}'],
    operators: ['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', 'StringLike',
      'StringNotLike'],
  },
  {
    keys: ['aws:SourceArn', 'aws:PrincipalArn'],
    held: [`arn:aws:iam::${OWN}:role/Job`, `arn:aws:backup:eu-west-1:${OWN}:backup-vault:v`, `arn:aws:iam::${OTHER}:user/alice`,
      `arn:aws:sns:eu-west-1:${OWN}:topic:sub`, 'no ARN'],
    asked: [`arn:aws:iam::${OWN}:role/Job`, 'arn:aws:iam::*:role/*', `arn:aws:backup:*:${OWN}:*`, 'arn:*:*:*:*:*', '*',
      'arn:aws:iam::*', `arn:aws:iam::${OWN}:role/\${aws:PrincipalTag/team}`, `arn:aws:iam::${OTHER[0]}???5556666:user/al*`,
      'arn:aws:sns:*:*:topic', '${aws:PrincipalArn}', `arn:aws:iam::\${aws:PrincipalAccount}:role/Job`,
      "arn:aws:iam::111122223333:role/${aws:PrincipalTag/none, 'Job'}", `arn:aws:iam::${OWN}:role/\${*}`],
    operators: ['ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike', 'StringLike', 'StringNotEquals'],
  },
  {
    keys: ['s3:max-keys', 'kms:RotationPeriodInDays'],
    held: ['1', '10', '10.5', '-3', '007', 'many'],
    asked: ['1', '10', 10, '10.50', '5', -3, '7', 0.5, 'x', '+10', '.5'],
    operators: ['NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericLessThanEquals', 'NumericGreaterThan',
      'NumericGreaterThanEquals'],
  },
  {
    keys: ['aws:CurrentTime', 'aws:TokenIssueTime', 'aws:EpochTime'],
    held: ['2024-01-01T00:00:00Z', '2025-06-15T12:30:00Z', '2024-01-01T01:00:00+01:00', '1704067200', '1750000000', 'soon'],
    asked: ['2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z', '2024-01-01', '2025-06-15T12:30:00.000Z', '2024', '2024-01',
      '1704067200', 1704067200, '2025-06-15T12:30Z', 'never'],
    operators: ['DateEquals', 'DateNotEquals', 'DateLessThan', 'DateLessThanEquals', 'DateGreaterThan', 'DateGreaterThanEquals'],
  },
  {
    keys: ['aws:SecureTransport', 'kms:GrantIsForAWSResource', 'aws:ViaAWSService'],
    held: ['true', 'false', 'True', 'yes'],
    asked: ['true', 'false', true, false, 'TRUE', 'yes', '${aws:ViaAWSService}'],
    operators: ['Bool'],
  },
  {
    keys: ['aws:SourceIp', 'aws:VpcSourceIp'],
    held: ['203.0.113.7', '10.1.2.3', '2001:db8::5', '2001:DB8:0:0:0:0:0:5', 'backup.amazonaws.com'],
    asked: ['203.0.113.0/24', '10.0.0.0/8', '203.0.113.7/32', '2001:db8::/32', '0.0.0.0/0', '::/0', '203.0.113.7', '2001:db8::5',
      '10.1.2.3/33', 'home'],
    operators: ['IpAddress', 'NotIpAddress'],
  },
  {
    keys: ['kms:RecipientAttestation:ImageSha384'],
    held: ['QQ==', 'Qg==', 'qq=='],
    asked: ['QQ==', 'Qg=='],
    operators: ['BinaryEquals'],
  },
]

const list = (dice, values) => (values.length === 1 && dice.maybe(0.7) ? values[0] : values)

/** What the request holds for a key, as a policy would write it. */
function asHeld(dice, asked, name, type) {
  const held = Object.entries(asked.context).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
  if (!held || held.length === 0) return undefined
  const value = dice.pick(held)
  return type.operators[0] === 'StringEquals' && dice.maybe(0.5) ? value.replace(/[*?]|\$(?!\{)/g, '${$&}') : value
}

function conditions(dice, asked, most) {
  const block = {}
  for (let count = dice.below(most + 1); count > 0; count -= 1) {
    const type = dice.pick(TYPES)
    let name = dice.pick(type.keys)
    if (dice.maybe(0.15)) name = name.toUpperCase()
    let operator = dice.pick(type.operators)
    let values = dice.some(type.asked, 2)
    const held = asHeld(dice, asked, name, type)
    if (held !== undefined && dice.maybe(0.35)) values[0] = held
    if (dice.maybe(0.12)) {
      operator = 'Null'
      values = [dice.pick(['true', 'false', true, false, 'TRUE'])]
    } else {
      if (dice.maybe(type.many ? 0.85 : 0.12)) operator = `${dice.pick(['ForAllValues', 'ForAnyValue'])}:${operator}`
      if (dice.maybe(0.15)) operator += 'IfExists'
      if (dice.maybe(0.03)) operator = operator.toLowerCase().replace('forallvalues', 'ForAllValues').replace('foranyvalue', 'ForAnyValue').replace('ifexists', 'IfExists')
      if (dice.maybe(0.02)) values = []
    }
    block[operator] ??= {}
    block[operator][name] = list(dice, values)
  }
  return block
}

function grantees(dice, asked) {
  return withoutOwnSessions(drawnGrantees(dice, asked), asked.principal)
}

/** A role is asked about without its session: whether a session that is named by itself is meant isn't known, and the simulator says no. */
function withoutOwnSessions(named, principal) {
  const [, partition, service, , account, resource] = principal.split(':')
  if (service !== 'iam' || !resource?.startsWith('role/') || named.AWS === undefined) return named
  const own = `arn:${partition}:sts::${account}:assumed-role/${resource.split('/').pop()}/`
  const others = [named.AWS].flat().filter((one) => !one.startsWith(own))
  return { ...named, AWS: others.length > 0 ? others : ['999999999999'] }
}

function drawnGrantees(dice, asked) {
  const chosen = dice.below(20)
  if (chosen < 4) return '*'
  // Chance alone would seldom name the one who asks.
  if (chosen < 11) return aimed(dice, asked.principal)
  if (chosen < 12) return { Service: list(dice, dice.some(['backup.amazonaws.com', 'ec2.amazonaws.com'], 2)) }
  if (chosen < 13) return { AWS: dice.some(GRANTEES, 2), Service: 'backup.amazonaws.com' }
  if (chosen < 14) return { Federated: 'cognito-identity.amazonaws.com' }
  if (chosen < 15) return { CanonicalUser: '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be' }
  return { AWS: list(dice, dice.some(GRANTEES, 3)) }
}

/** A `Principal` that names the principal, or comes close to it. */
function aimed(dice, principal) {
  if (principal === 'anonymous') return dice.pick(['*', { AWS: '*' }, { AWS: OWN }])
  if (!principal.startsWith('arn:')) return dice.pick([{ Service: principal }, { AWS: '*' }, { Service: ['s3.amazonaws.com', principal] }])
  const [, partition, , , account, resource] = principal.split(':')
  const name = resource.split('/')[1] ?? ''
  const near = {
    'assumed-role': [`role/${name}`, `role/service-role/${name}`, `role/${name.toLowerCase()}`, `role/aws-service-role/backup.amazonaws.com/${name}`],
    'federated-user': [`user/${name}`],
    role: [`role/${name}`, 'root'],
    user: ['user/alice', 'AIDAEXAMPLEID0000002'],
  }[resource.split('/')[0]] ?? ['root']
  return {
    AWS: list(dice, [
      dice.pick([principal, principal, account, `arn:${partition}:iam::${account}:root`, 'AROAEXAMPLEID0000001',
        ...near.map((path) => (path.startsWith('A') ? path : `arn:${partition}:iam::${account}:${path}`))]),
      ...(dice.maybe(0.3) ? dice.some(GRANTEES, 2) : []),
    ]),
  }
}

/** A NotPrincipal with Deny that names a part of the principal: AWS doesn't say what happens unless each part is named, so only others are. */
function othersOnly(named, principal) {
  if (!principal.startsWith('arn:') || named.AWS === undefined) return named
  const account = principal.split(':')[4]
  const others = [named.AWS].flat().filter((one) => !one.startsWith('A') && !one.includes(account))
  return { ...named, AWS: others.length > 0 ? others : ['999999999999'] }
}

function statement(dice, asked, { principal, denied, conditioned, notPrincipal = 0, short = false }) {
  const made = {}
  if (dice.maybe(0.4)) made.Sid = `Statement ${dice.below(100)}`
  made.Effect = dice.maybe(denied) ? 'Deny' : 'Allow'
  // AWS supports NotPrincipal with Deny only.
  if (principal) {
    const named = principal(dice, asked)
    if (made.Effect === 'Deny' && dice.maybe(notPrincipal)) made.NotPrincipal = othersOnly(named, asked.principal)
    else made.Principal = named
  }
  const actions = dice.maybe(0.6) ? [dice.pick([asked.action, '*'])] : dice.some(ACTION_PATTERNS, 2)
  made[dice.maybe(0.1) ? 'NotAction' : 'Action'] = list(dice, actions)
  const resources = dice.maybe(0.6) ? [dice.pick([asked.resource, '*'])] : dice.some(RESOURCE_PATTERNS, 2)
  // AWS completes an incomplete ARN in an identity-based policy; session policies and SCPs refuse it.
  if (short && dice.maybe(0.1)) resources.push(dice.pick(['arn:aws:kms', 'arn:aws:backup:eu-west-1', 'arn:aws:kms:us-east-1']))
  made[dice.maybe(0.1) && !resources.some((resource) => /^arn:aws:\w+(:[\w-]+)?$/.test(resource)) ? 'NotResource' : 'Resource'] = list(dice, resources)
  const block = conditions(dice, asked, conditioned)
  if (Object.keys(block).length > 0) made.Condition = block
  return made
}

function policy(dice, asked, most, options) {
  const statements = Array.from({ length: 1 + dice.below(most) }, () => statement(dice, asked, options))
  const made = { Version: '2012-10-17', Statement: statements.length === 1 && dice.maybe(0.2) ? statements[0] : statements }
  if (options.versions && dice.maybe(0.15)) {
    if (dice.maybe(0.5)) made.Version = '2008-10-17'
    else delete made.Version
  }
  return made
}

function request(dice, principal) {
  const action = dice.pick(ACTIONS)
  const account = dice.pick([OWN, OTHER])
  const resource = action.startsWith('kms:') ? key(account) : vault(account, dice.pick(['copies', 'copies', 'My/Vault']))
  const context = {}
  for (const type of TYPES) {
    for (const name of type.keys) {
      if (name === 'aws:PrincipalArn' || dice.maybe(0.45)) continue
      const held = type.many ? [...new Set(dice.some(type.held, 3))] : [dice.pick(type.held)]
      context[dice.maybe(0.1) ? name.toLowerCase() : name] = dice.maybe(0.03) ? [] : held
    }
  }
  if (dice.maybe(0.3)) context['aws:PrincipalTag/key'] = ['1234']
  if (dice.maybe(0.3)) context['aws:PrincipalTag/vault'] = ['co']
  // A session's ARN does not carry its role's path; the context may.
  if (principal.includes(':assumed-role/Job/') && dice.maybe(0.4)) {
    context['aws:PrincipalArn'] = [dice.pick([`arn:aws:iam::${OWN}:role/service-role/Job`, `arn:aws:iam::${OWN}:role/Job`])]
  }
  if (principal.includes('AWSServiceRoleForBackup/') && dice.maybe(0.5)) {
    context['aws:PrincipalArn'] = [PRINCIPALS[9]]
  }
  if (/:(role|assumed-role)\//.test(principal) && dice.maybe(0.3)) context['aws:userid'] = ['AROAEXAMPLEID0000001:s1']
  if (principal.includes(':user/') && dice.maybe(0.3)) context['aws:userid'] = ['AIDAEXAMPLEID0000002']
  return { principal, action, resource, resource_account: account, context }
}

/** One resource policy and one request. */
function evaluation(dice) {
  const asked = request(dice, dice.pick(PRINCIPALS))
  const options = { principal: grantees, notPrincipal: 0.35, denied: 0.3, conditioned: 2 }
  const made = policy(dice, asked, 3, options)
  if (dice.maybe(0.15)) {
    if (dice.maybe(0.5)) made.Version = '2008-10-17'
    else delete made.Version
  }
  return { request: asked, policy: made }
}

/** One request and every policy that has a say in it. */
function authorization(dice) {
  const principal = dice.pick(PRINCIPALS)
  const asked = request(dice, principal)
  const identified = principal.startsWith('arn:')
  const isRoot = principal.endsWith(':root')
  const isSession = principal.includes(':sts:')
  const open = (named) => ({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', ...(named ? { Principal: '*' } : {}), Action: '*', Resource: '*' }],
  })
  const own = (short) => (dice.maybe(0.4) ? open() : policy(dice, asked, 2, { denied: 0.12, conditioned: 1, short }))
  const levels = (options) => Array.from({ length: 1 + dice.below(2) }, () =>
    Array.from({ length: 1 + dice.below(2) }, () =>
      (dice.maybe(0.5) ? open(options.principal) : policy(dice, asked, 2, options))))
  const everyone = () => '*'
  return {
    request: asked,
    identity: identified && !isRoot && dice.maybe(0.8) ? [own(true)] : [],
    boundary: identified && !isRoot && dice.maybe(0.3) ? [own(true), ...(dice.maybe(0.2) ? [own(true)] : [])] : null,
    session: isSession && dice.maybe(0.4) ? own(false) : null,
    scps: dice.maybe(0.35) ? levels({ denied: 0.1, conditioned: 1 }) : [],
    rcps: dice.maybe(0.3) ? levels({ denied: 0.5, conditioned: 1, principal: everyone }) : [],
    resource_policy: dice.maybe(0.85)
      ? policy(dice, asked, 2, { principal: grantees, notPrincipal: 0.35, denied: 0.15, conditioned: 1 })
      : null,
  }
}

/** `count` cases, half of each kind. */
export function* cases(seed, count) {
  const dice = chance(seed)
  for (let index = 0; index < count; index += 1) {
    yield index % 2 === 0 ? evaluation(dice) : authorization(dice)
  }
}

/** The names of a few keys that the request's policies may ask for. */
export function unknownKeys(seed, index) {
  const dice = chance(seed * 31 + index)
  return [...new Set(dice.some(TYPES.flatMap((type) => type.keys), 2))]
}
