//! Answers about volumes and zones (Amazon EC2 API reference, `CreateVolume`, `DescribeVolumes`,
//! `DescribeAvailabilityZones`, documented).

use aws_smithy_xml::decode::Document;
use copymend_diagnosis::KeyArn;

use super::answer::{each, items, text};

/// A volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) encrypted: bool,
    pub(crate) key: Option<KeyArn>,
    pub(crate) tags: Vec<(String, String)>,
}

/// The volumes of `DescribeVolumes`. Each has an id, a state, and says whether it is encrypted.
pub(crate) fn described(answer: &str) -> Result<Vec<Described>, String> {
    let mut found = Vec::new();
    items(answer, "volumeSet", &mut |_, mut item| {
        let (mut volume, mut encrypted, mut key) = (Described::default(), None, None);
        each(&mut item, &mut |name, mut child| {
            match name {
                "volumeId" => volume.id = text(child)?,
                "status" => volume.state = text(child)?,
                "encrypted" => encrypted = text(child)?.parse().ok(),
                "kmsKeyId" => key = Some(text(child)?),
                "tagSet" => each(&mut child, &mut |_, mut tag| {
                    let (mut key, mut value) = (String::new(), String::new());
                    each(&mut tag, &mut |name, field| {
                        match name {
                            "key" => key = text(field)?,
                            "value" => value = text(field)?,
                            _ => {}
                        }
                        Ok(())
                    })?;
                    volume.tags.push((key, value));
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })?;
        found.push((volume, encrypted, key));
        Ok(())
    })?;
    found
        .into_iter()
        .map(|(volume, encrypted, key)| {
            if volume.id.is_empty() || volume.state.is_empty() {
                return Err("`volumeId` or `status` is missing".to_owned());
            }
            let key: Option<KeyArn> = key
                .map(|key| key.parse())
                .transpose()
                .map_err(|error| format!("`kmsKeyId` of `{}`: {error}", volume.id))?;
            let encrypted = encrypted
                .ok_or_else(|| format!("whether `{}` is encrypted is missing", volume.id))?;
            Ok(Described {
                encrypted,
                key,
                ..volume
            })
        })
        .collect()
}

/// The id in the answer of `CreateVolume`.
pub(crate) fn created(answer: &str) -> Result<String, String> {
    let mut id = None;
    let mut document = Document::new(answer);
    document
        .root_element()
        .and_then(|mut root| {
            each(&mut root, &mut |name, child| {
                if name == "volumeId" {
                    id = Some(text(child)?);
                }
                Ok(())
            })
        })
        .map_err(|error| error.to_string())?;
    id.filter(|id| !id.is_empty())
        .ok_or_else(|| "`volumeId` is missing".to_owned())
}

/// The names of `DescribeAvailabilityZones`.
pub(crate) fn zones(answer: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    items(answer, "availabilityZoneInfo", &mut |_, mut item| {
        each(&mut item, &mut |name, child| {
            if name == "zoneName" {
                found.push(text(child)?);
            }
            Ok(())
        })
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/0f1e2d3c-4b5a-4697-8877-665544332211";

    fn volumes(items: &str) -> String {
        format!(
            "<DescribeVolumesResponse><requestId>1</requestId><volumeSet>{items}</volumeSet></DescribeVolumesResponse>"
        )
    }

    #[test]
    fn volumes_are_read_with_key_and_tags() {
        let answer = volumes(&format!(
            "<item><volumeId>vol-1</volumeId><status>available</status><encrypted>true</encrypted><kmsKeyId>{KEY}</kmsKeyId>\
             <tagSet><item><key>copymend-prove</key><value>0a1b2c3d</value></item></tagSet></item>"
        ));
        let found = described(&answer).unwrap();
        assert_eq!(found.len(), 1);
        let volume = &found[0];
        assert_eq!((&*volume.id, &*volume.state), ("vol-1", "available"));
        assert_eq!(volume.key.as_ref().map(KeyArn::as_str), Some(KEY));
        let tag = ("copymend-prove".to_owned(), "0a1b2c3d".to_owned());
        assert_eq!(volume.tags, [tag]);
    }

    #[test]
    fn what_is_missing_or_cut_is_an_error() {
        let whole = "<item><volumeId>vol-1</volumeId><status>available</status><encrypted>false</encrypted></item>";
        assert_eq!(described(&volumes(whole)).unwrap().len(), 1);
        assert_eq!(described(&volumes("")).unwrap(), []);
        let silent = whole.replace("<encrypted>false</encrypted>", "");
        for answer in [
            volumes(&silent),
            volumes(&whole.replace("vol-1", "")),
            volumes(whole).replace("</DescribeVolumesResponse>", ""),
            "<DescribeVolumesResponse></DescribeVolumesResponse>".to_owned(),
        ] {
            assert!(described(&answer).is_err(), "{answer}");
        }
        assert!(created("<CreateVolumeResponse><size>1</size></CreateVolumeResponse>").is_err());
        let answer = "<CreateVolumeResponse><volumeId>vol-1</volumeId></CreateVolumeResponse>";
        assert_eq!(created(answer).as_deref(), Ok("vol-1"));
    }
}
