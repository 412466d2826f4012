//! The answers of Amazon EC2 (API reference, `DescribeImages`, `DescribeSnapshots`, and "Error
//! codes", documented).

use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};
use copymend_diagnosis::KeyArn;

/// An element that is read by the name of each of its children.
pub(crate) type Read<'r> =
    &'r mut dyn FnMut(&str, ScopedDecoder<'_, '_>) -> Result<(), XmlDecodeError>;

pub(crate) fn each(
    element: &mut ScopedDecoder<'_, '_>,
    read: Read<'_>,
) -> Result<(), XmlDecodeError> {
    while let Some(child) = element.next_tag() {
        let name = child.start_el().local().to_owned();
        read(&name, child)?;
    }
    Ok(())
}

pub(crate) fn text(mut element: ScopedDecoder<'_, '_>) -> Result<String, XmlDecodeError> {
    try_data(&mut element).map(|text| text.trim().to_owned())
}

/// Reads the items of one list of the answer.
pub(super) fn items(answer: &str, list: &str, read: Read<'_>) -> Result<(), String> {
    let mut is_there = false;
    let mut document = Document::new(answer);
    document
        .root_element()
        .and_then(|mut root| {
            // What was cut on its way would hold too few.
            let end = format!("</{}>", root.start_el().local());
            if !answer.trim_end().ends_with(&end) {
                return Err(XmlDecodeError::custom("the answer is cut"));
            }
            each(&mut root, &mut |name, mut child| {
                if name == list {
                    is_there = true;
                    each(&mut child, &mut *read)?;
                }
                Ok(())
            })
        })
        .map_err(|error| error.to_string())?;
    if is_there {
        Ok(())
    } else {
        Err(format!("`{list}` is missing"))
    }
}

/// The ids of an image's snapshots; none where the answer holds no such image.
pub(super) fn snapshots_of(answer: &str, image: &str) -> Result<Option<Vec<String>>, String> {
    let mut found = None;
    items(answer, "imagesSet", &mut |_, mut item| {
        let (mut id, mut snapshots) = (String::new(), Vec::new());
        each(&mut item, &mut |name, mut child| match name {
            "imageId" => {
                id = text(child)?;
                Ok(())
            }
            "blockDeviceMapping" => each(&mut child, &mut |_, mut mapping| {
                each(&mut mapping, &mut |name, mut device| {
                    if name != "ebs" {
                        return Ok(());
                    }
                    each(&mut device, &mut |name, field| {
                        if name == "snapshotId" {
                            snapshots.push(text(field)?);
                        }
                        Ok(())
                    })
                })
            }),
            _ => Ok(()),
        })?;
        if id == image {
            found = Some(snapshots);
        }
        Ok(())
    })?;
    Ok(found)
}

/// The keys of these snapshots, each once. Every snapshot must be answered, and every encrypted one
/// with its key.
pub(super) fn keys_of(answer: &str, snapshots: &[&str]) -> Result<Vec<KeyArn>, String> {
    let mut found: Vec<(String, Option<bool>, Option<String>)> = Vec::new();
    items(answer, "snapshotSet", &mut |_, mut item| {
        let (mut id, mut encrypted, mut key) = (String::new(), None, None);
        each(&mut item, &mut |name, child| {
            match name {
                "snapshotId" => id = text(child)?,
                "encrypted" => encrypted = text(child)?.parse().ok(),
                "kmsKeyId" => key = Some(text(child)?),
                _ => {}
            }
            Ok(())
        })?;
        found.push((id, encrypted, key));
        Ok(())
    })?;
    let mut keys: Vec<KeyArn> = Vec::new();
    for snapshot in snapshots {
        let answered = found.iter().find(|(id, _, _)| id == snapshot);
        let (_, encrypted, key) =
            answered.ok_or_else(|| format!("snapshot `{snapshot}` is missing"))?;
        match (encrypted, key) {
            (_, Some(key)) => {
                let key: KeyArn = key
                    .parse()
                    .map_err(|error| format!("`kmsKeyId` of `{snapshot}`: {error}"))?;
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            (Some(false), None) => {}
            (Some(true) | None, None) => {
                return Err(format!(
                    "whether and with which key `{snapshot}` is encrypted is missing"
                ));
            }
        }
    }
    Ok(keys)
}

/// An error: `Response`, `Errors`, `Error` with its `Code` and `Message`.
pub(super) fn error(body: &[u8]) -> ErrorMetadata {
    let (mut code, mut message) = (None, None);
    let mut read = || -> Result<(), XmlDecodeError> {
        let mut document = Document::try_from(body)?;
        let mut root = document.root_element()?;
        each(&mut root, &mut |name, mut errors| {
            if name != "Errors" {
                return Ok(());
            }
            each(&mut errors, &mut |_, mut error| {
                each(&mut error, &mut |name, field| {
                    match name {
                        "Code" => code = Some(text(field)?),
                        "Message" => message = Some(text(field)?),
                        _ => {}
                    }
                    Ok(())
                })
            })
        })
    };
    // What is no XML, from a proxy for example, carries no code.
    let is_read = read().is_ok();
    let mut error = ErrorMetadata::builder();
    if is_read {
        if let Some(code) = code {
            error = error.code(code);
        }
        if let Some(message) = message {
            error = error.message(message);
        }
    }
    error.build()
}
