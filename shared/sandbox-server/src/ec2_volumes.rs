//! Volumes of Amazon EC2, as they are at the other endpoint: their backups are under their keys.

use axum::http::StatusCode;
use copymend_diagnosis::KeyArn;
use copymend_policy::AccountId;

use crate::error::AwsError;
use crate::upstream::{Upstream, query, unavailable};
use crate::xml;

const VERSION: &str = "2016-11-15";
const BYTES_OF_A_GIBIBYTE: u64 = 1 << 30;

/// What a backup takes over from its volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Volume {
    /// The key that it is encrypted with; none where it isn't encrypted.
    pub(crate) key: Option<KeyArn>,
    pub(crate) size_in_bytes: u64,
}

impl Volume {
    /// The volume as Amazon EC2 describes it; `None` where there is none of that id.
    pub(crate) async fn read(
        upstream: &Upstream,
        account: AccountId,
        region: &str,
        id: &str,
    ) -> Result<Option<Self>, AwsError> {
        let body = query("DescribeVolumes", VERSION, &[("VolumeId.1", id)]);
        let answer = upstream.call(account, "ec2", region, None, body).await?;
        match answer {
            None => Err(unavailable(
                "volumes are at another endpoint, and none is behind the sandbox (`--aws`)",
            )),
            Some((StatusCode::OK, text)) => Ok(Self::parse(&text)),
            Some((_, text)) if text.contains("InvalidVolume.NotFound") => Ok(None),
            Some((status, text)) => Err(unavailable(format!(
                "DescribeVolumes of {id} answers {status}: {text}"
            ))),
        }
    }

    fn parse(answer: &str) -> Option<Self> {
        xml::content(answer, "volumeId")?;
        let gibibytes: u64 = xml::text(answer, "size")?.parse().ok()?;
        Some(Self {
            key: xml::text(answer, "kmsKeyId").and_then(|key| key.parse().ok()),
            size_in_bytes: gibibytes.saturating_mul(BYTES_OF_A_GIBIBYTE),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Volume;

    #[test]
    fn a_volume_has_a_size_and_perhaps_a_key() {
        let key = "arn:aws:kms:us-east-1:111122223333:key/0f1e2d3c-4b5a-4697-8877-665544332211";
        let answer = |key: &str| {
            format!(
                "<R><volumeSet><item><volumeId>vol-1</volumeId><size>2</size>{key}</item></volumeSet></R>"
            )
        };
        let plain = Volume::parse(&answer("")).expect("a volume");
        assert_eq!((plain.key, plain.size_in_bytes), (None, 2 << 30));
        let encrypted = Volume::parse(&answer(&format!("<kmsKeyId>{key}</kmsKeyId>")));
        assert_eq!(
            encrypted
                .and_then(|volume| volume.key)
                .map(|key| key.to_string())
                .as_deref(),
            Some(key)
        );
        assert_eq!(Volume::parse("<R><volumeSet/></R>"), None);
    }
}
