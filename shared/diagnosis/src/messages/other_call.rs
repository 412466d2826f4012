//! Whether a text tells of another call than one of a copy's.
//!
//! A key or a vault that a text names may be that of a function, a queue or a bucket. Such a text
//! admits no repair as its first cause (inferred from texts seen in public).

/// Fragments that make a look at the whole text worth while.
pub(super) const SIGNS: &[&str] = &[
    ".amazonaws.com",
    "calling the",
    "lambda",
    "arn:aws",
    "source\"",
    "\"state\"",
];

/// What no copy uses a key or a vault for. A text that names one of them tells of something else.
pub(super) const OTHER_THINGS: &[&str] = &[
    "performance insights|db proxy|db instance creat|creating db|replication instance\
     |secretsmanager|secrets manager|'s secret|secret kms| sqs|queue|log group|cloudwatch|cloudtrail|kinesis|aws glue\
     |codebuild|codepipeline|codeartifact|eventbridge|event bus|opensearch|elasticsearch|elasticache|sagemaker|athena\
     |step function|state machine|autoscaling|auto scaling|launching|launch template|creating ebs|creating volume\
     |createvolume|attachvolume|runinstances|tfstate|state file|s3 object|access object|s3://|environment variable\
     |packer|data lifecycle manager| dlm|lifecycle policy policy-|import-snapshot|import task|vm import|elastic disaster recovery\
     |workspaces|redshift|snapshot copy grant|creating fsx|createfilesystem|creating efs|aws::efs|aws::fsx|aws::rds|aws::ec2\
     |export task|modifying db|modifying rds|modifydb|createdb|copy-snapshot|copy-image|copy-db|copying rds|copying ami\
     |ami copy|copying ebs|backup job state change|restore job state change|restore testing|emr |datasync|sagemaker\
     |restore job|restore failed|restore of|backup job failed|table encryption|parameter store\
     |resource handler returned|handlererrorcode|audit report|report plan",
];

/// The services that make or answer the calls of a copy, by the first label of their host names.
const SERVICES_OF_A_COPY: &str = "backup|backup-storage|kms|sts|iam|ec2|rds|fsx|elasticfilesystem|dynamodb|redshift|timestream|storagegateway\
     |cloudformation|docs|console|organizations|ssm-sap|neptune|s3|backup-gateway|dsql";

/// The operations of a copy, as the SDKs name them.
const OPERATIONS_OF_A_COPY: &str = "startcopyjob|describecopyjob|listcopyjobs|copysnapshot|copyimage|copydbsnapshot\
     |copydbclustersnapshot|copybackup|copyintobackupvault|copyfrombackupvault|modifysnapshotattribute\
     |modifyimageattribute|modifydbsnapshotattribute|describekey|creategrant|reencrypt|reencryptfrom\
     |reencryptto|generatedatakey|generatedatakeywithoutplaintext|decrypt|assumerole";

/// Whether the plain text names another service as the caller, or another operation.
pub(super) fn is_told(plain: &str) -> bool {
    speaks_of_a_function(plain)
        || names_another_service(plain)
        || names_another_operation(plain)
        || names_what_is_not_copied(plain)
        || comes_from_another_source(plain)
}

/// A function's own trouble with its key: "Lambda was unable to decrypt the environment variables"
/// (seen).
fn speaks_of_a_function(plain: &str) -> bool {
    words(plain).any(|word| word == "lambda")
}

/// A service principal such as `events.amazonaws.com`, or the host of a call.
fn names_another_service(plain: &str) -> bool {
    plain.match_indices(".amazonaws.com").any(|(at, _)| {
        let before = plain.get(..at).unwrap_or_default();
        let host = before
            .rsplit(|found: char| !(found.is_ascii_alphanumeric() || matches!(found, '-' | '.')))
            .next()
            .unwrap_or_default();
        let service = host.split('.').next().unwrap_or_default();
        !service.is_empty() && !is_one_of(service, SERVICES_OF_A_COPY)
    })
}

/// The envelope of an event that isn't one of AWS Backup's failed copies: another `source`, or a state that is no failure.
fn comes_from_another_source(plain: &str) -> bool {
    let mut values = ["\"source\"", "\"eventsource\"", "\"state\""]
        .into_iter()
        .flat_map(|name| {
            plain.match_indices(name).filter_map(move |(at, name)| {
                let rest = plain
                    .get(at + name.len()..)?
                    .trim_start()
                    .strip_prefix(':')?;
                let (value, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
                Some((name, value))
            })
        });
    values.any(|(name, value)| match name {
        "\"source\"" => value != "aws.backup",
        "\"eventsource\"" => !matches!(value, "backup.amazonaws.com" | "kms.amazonaws.com"),
        _ => !matches!(value, "failed" | "partial"),
    })
}

/// An ARN of a service that no copy has to do with.
fn names_what_is_not_copied(plain: &str) -> bool {
    plain.match_indices("arn:aws").any(|(at, _)| {
        let arn = plain.get(at..).unwrap_or_default();
        let service = arn.split(':').nth(2).unwrap_or_default();
        let is_whole = service
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_whole && !service.is_empty() && !is_one_of(service, SERVICES_OF_A_COPY)
    })
}

/// "when calling the Decrypt operation", "Calling the invoke API action" (seen).
fn names_another_operation(plain: &str) -> bool {
    plain.match_indices("calling the ").any(|(at, phrase)| {
        let mut words = words(plain.get(at + phrase.len()..).unwrap_or_default());
        let operation = words.next().unwrap_or_default();
        let kind = words.next().unwrap_or_default();
        matches!(kind, "operation" | "api") && !is_one_of(operation, OPERATIONS_OF_A_COPY)
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words =
        text.split(|found: char| !(found.is_ascii_alphanumeric() || found == '-' || found == '_'));
    words.filter(|word| !word.is_empty())
}

fn is_one_of(word: &str, known: &str) -> bool {
    known.split('|').any(|known| known == word)
}
