use copymend_remediation::ports::{CallErrorKind, Images, Reads};
use copymend_remediation::settings::Deployment;

use super::wire::{Wire, ok, status};
use super::{environment, parsed, source};

const IMAGE: &str = "arn:aws:ec2:eu-west-1::image/ami-0123456789abcdef0";
const ONE: &str = "arn:aws:kms:eu-west-1:111122223333:key/11111111-1111-4111-8111-111111111111";
const OTHER: &str = "arn:aws:kms:eu-west-1:111122223333:key/22222222-2222-4222-8222-222222222222";

fn reading_images() -> Deployment {
    Deployment {
        read_images: true,
        ..Deployment::default()
    }
}

fn image(devices: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeImagesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
         <requestId>r</requestId><imagesSet><item><imageId>ami-0123456789abcdef0</imageId><name>a &amp; b</name>\
         <blockDeviceMapping>{devices}</blockDeviceMapping><tagSet><item><key>imageId</key><value>x</value></item></tagSet>\
         </item></imagesSet></DescribeImagesResponse>\n"
    )
}

fn device(snapshot: &str) -> String {
    format!(
        "<item><deviceName>/dev/xvda</deviceName><ebs><snapshotId>{snapshot}</snapshotId><volumeSize>8</volumeSize></ebs></item>"
    )
}

fn snapshots(items: &[(&str, &str)]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|(id, rest)| format!("<item><snapshotId>{id}</snapshotId>{rest}</item>"))
        .collect();
    let items = items.concat();
    format!(
        "<DescribeSnapshotsResponse><requestId>r</requestId><snapshotSet>{items}</snapshotSet></DescribeSnapshotsResponse>"
    )
}

fn encrypted(key: &str) -> String {
    format!("<encrypted>true</encrypted><kmsKeyId>{key}</kmsKeyId>")
}

fn refused(code: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors><RequestID>r</RequestID></Response>"
    )
}

#[tokio::test]
async fn each_key_of_an_image_is_told_once() {
    let wire = Wire::default();
    let aws = environment(&wire, &reading_images()).await;
    let devices: String = ["snap-1", "snap-2", "snap-3", "snap-4"]
        .map(device)
        .concat();
    let ephemeral =
        "<item><deviceName>/dev/sdb</deviceName><virtualName>ephemeral0</virtualName></item>";
    wire.once("DescribeImages", ok(image(&(devices + ephemeral))));
    let plain = "<encrypted>false</encrypted>";
    wire.once(
        "DescribeSnapshots",
        ok(snapshots(&[
            ("snap-4", &encrypted(OTHER)),
            ("snap-1", &encrypted(ONE)),
            ("snap-2", plain),
            ("snap-3", &encrypted(ONE)),
        ])),
    );
    let images = aws.images().unwrap();
    let keys = images.image_keys(&source(), &parsed(IMAGE)).await;
    assert_eq!(keys, Ok(Some(vec![parsed(ONE), parsed(OTHER)])));
    let sent = wire.sent("DescribeImages");
    assert_eq!(sent[0].uri, "https://ec2.eu-west-1.amazonaws.com/");
    assert_eq!(
        sent[0].body,
        "Action=DescribeImages&Version=2016-11-15&ImageId.1=ami-0123456789abcdef0"
    );
    assert!(
        sent[0]
            .authorization
            .contains("/eu-west-1/ec2/aws4_request"),
        "{}",
        sent[0].authorization
    );
    assert_eq!(
        wire.sent("DescribeSnapshots")[0].body,
        "Action=DescribeSnapshots&Version=2016-11-15&SnapshotId.1=snap-1&SnapshotId.2=snap-2&SnapshotId.3=snap-3&SnapshotId.4=snap-4"
    );
}

#[tokio::test]
async fn an_image_is_absent_only_where_ec2_says_so_and_a_cut_answer_is_unreadable() {
    let wire = Wire::default();
    let aws = environment(&wire, &reading_images()).await;
    let images = aws.images().unwrap();
    let whole = image(&device("snap-1"));
    let cut = whole.split("<blockDeviceMapping>").next().unwrap();
    for (reply, expected) in [
        (status(400, &refused("InvalidAMIID.NotFound")), Ok(None)),
        (
            status(403, &refused("UnauthorizedOperation")),
            Err(CallErrorKind::AccessDenied),
        ),
        (ok(cut), Err(CallErrorKind::Unreadable)),
        (ok("{}"), Err(CallErrorKind::Unreadable)),
        (ok(image("")), Ok(Some(Vec::new()))),
    ] {
        wire.once("DescribeImages", reply);
        let answer = images.image_keys(&source(), &parsed(IMAGE)).await;
        assert_eq!(answer.map_err(|error| error.kind), expected);
    }
}

#[tokio::test]
async fn a_snapshot_without_an_answer_is_unreadable() {
    let wire = Wire::default();
    let aws = environment(&wire, &reading_images()).await;
    let images = aws.images().unwrap();
    wire.always("DescribeImages", ok(image(&device("snap-1"))));
    for items in [
        vec![],
        vec![("snap-2", "<encrypted>false</encrypted>")],
        vec![("snap-1", "<encrypted>true</encrypted>")],
        vec![("snap-1", "")],
        vec![(
            "snap-1",
            "<encrypted>true</encrypted><kmsKeyId>alias/x</kmsKeyId>",
        )],
    ] {
        wire.once("DescribeSnapshots", ok(snapshots(&items)));
        let error = images
            .image_keys(&source(), &parsed(IMAGE))
            .await
            .unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Unreadable, "{items:?}: {error}");
    }
}

#[tokio::test]
async fn images_are_not_read_unless_the_setting_says_so() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    assert!(aws.images().is_none());
}
