//! Commands that show the state of a resource, and when its service works on it.

use super::case::Case;

/// The command that shows a resource's maintenance and backup windows, for services that have any.
pub(crate) fn windows(case: &Case<'_>) -> Option<String> {
    let has_windows = ["rds", "fsx"].contains(&case.resource()?.service());
    has_windows.then(|| show(case))?
}

/// The command that shows a resource's state and windows, where its ARN tells the service.
pub(crate) fn show(case: &Case<'_>) -> Option<String> {
    let resource = case.resource()?;
    let region = case.source_region();
    let (kind, id) = resource.resource().split_once(['/', ':'])?;
    let command = match (resource.service(), kind) {
        ("ec2", "volume") => {
            format!(
                "aws ec2 describe-volumes --region {region} --volume-ids {id} --query 'Volumes[].State'"
            )
        }
        ("ec2", "instance") => format!(
            "aws ec2 describe-instances --region {region} --instance-ids {id} --query 'Reservations[].Instances[].State.Name'"
        ),
        ("rds", "db") => format!(
            "aws rds describe-db-instances --region {region} --db-instance-identifier {id} --query \
             'DBInstances[].[DBInstanceStatus,PreferredMaintenanceWindow,PreferredBackupWindow]'"
        ),
        // Aurora, DocumentDB, Neptune and RDS Multi-AZ clusters alike.
        ("rds", "cluster") => format!(
            "aws rds describe-db-clusters --region {region} --db-cluster-identifier {id} --query \
             'DBClusters[].[Status,PreferredMaintenanceWindow,PreferredBackupWindow]'"
        ),
        ("fsx", "file-system") => format!(
            "aws fsx describe-file-systems --region {region} --file-system-ids {id} --query \
             'FileSystems[].[Lifecycle,WindowsConfiguration,LustreConfiguration,OpenZFSConfiguration]'"
        ),
        ("fsx", "volume") => format!(
            "aws fsx describe-volumes --region {region} --volume-ids {} --query 'Volumes[].Lifecycle'",
            id.rsplit('/').next().unwrap_or(id)
        ),
        ("elasticfilesystem", "file-system") => format!(
            "aws efs describe-file-systems --region {region} --file-system-id {id} --query 'FileSystems[].LifeCycleState'"
        ),
        ("dynamodb", "table") => {
            format!(
                "aws dynamodb describe-table --region {region} --table-name {id} --query Table.TableStatus"
            )
        }
        (_, _) => return None,
    };
    Some(command)
}
