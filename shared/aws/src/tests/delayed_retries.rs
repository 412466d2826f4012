//! The queue of delayed retries, over a real connection to a server on this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use aws_config::Region;
use copymend_remediation::later::DelayedRetry;
use copymend_remediation::ports::{CallErrorKind, CallResult, DelayedRetries, Environment};
use copymend_remediation::settings::Deployment;
use serde_json::{Value, json};

use crate::{AwsEnvironment, ReadWrite, config};

const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/copymend-DelayedRetries-1";
/// Amazon SQS answers a message with the digest of its body (API reference, `SendMessage`).
const SENT: &str =
    r#"{"MD5OfMessageBody":"d41d8cd98f00b204e9800998ecf8427e","MessageId":"11111111-2222"}"#;

/// A request as it came over the connection: its head, and its body.
type Request = (String, Value);

/// Answers each request, one connection each, with the next status, headers and body.
fn serve(answers: Vec<(u16, &'static str, String)>) -> (String, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for (status, header, body) in answers {
            let (mut connection, _) = listener.accept().unwrap();
            sender.send(read(&connection)).unwrap();
            write!(
                connection,
                "HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.0\r\n{header}connection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
        }
    });
    (url, requests)
}

fn read(connection: &TcpStream) -> Request {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let head = head.to_ascii_lowercase();
    let length = head.split_once("content-length: ").unwrap().1;
    let length = length.split_once("\r\n").unwrap().0.parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

async fn environment(endpoint: &str) -> AwsEnvironment<ReadWrite> {
    let credentials = aws_credential_types::Credentials::new("OWNKEY", "secret", None, None, "t");
    let config = config::loader(config::http_client())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(endpoint)
        .load()
        .await;
    let deployment = Deployment {
        delayed_retries_queue_url: Some(QUEUE.to_owned()),
        ..Deployment::default()
    };
    AwsEnvironment::new(config, &deployment)
}

fn message() -> DelayedRetry {
    let event =
        json!({"source": "aws.backup", "detail": {"statusMessage": "Zu viele, „ü“ \u{1f40c}"}});
    DelayedRetry::new(event, "2026-11-29T03:05:00Z".parse().unwrap(), 2)
}

async fn send(endpoint: &str) -> CallResult<()> {
    let aws = environment(endpoint).await;
    let queue = aws.delayed_retries().unwrap();
    queue.send(&message(), Duration::from_secs(247)).await
}

#[tokio::test]
async fn a_message_goes_out_with_its_delay_to_its_queue_and_is_read_as_it_was_written() {
    let (endpoint, requests) = serve(vec![(200, "", SENT.to_owned())]);
    assert_eq!(send(&endpoint).await, Ok(()));
    let (head, body) = requests.recv().unwrap();
    assert!(head.contains("\r\nx-amz-target: amazonsqs.sendmessage\r\n"));
    // The Region is that of the queue, not of the function.
    assert!(
        head.contains("/eu-west-1/sqs/aws4_request") && head.contains("credential=ownkey/"),
        "{head}"
    );
    let text = body["MessageBody"].as_str().unwrap();
    assert_eq!(DelayedRetry::in_body(text), Some(message()));
    assert_eq!(
        body,
        json!({"QueueUrl": QUEUE, "DelaySeconds": 247, "MessageBody": text})
    );
}

#[tokio::test]
async fn an_error_is_told_by_its_kind() {
    use CallErrorKind::{AccessDenied, Failed, Throttled, Unavailable};
    // With the code of the query protocol in a header, as Amazon SQS sends it (Amazon SQS, "Error
    // responses of the JSON protocol", documented), and without.
    for (status, header, code, kind, attempts, passes) in [
        (
            403,
            "x-amzn-query-error: AccessDenied;Sender\r\n",
            "com.amazon.coral.service#AccessDeniedException",
            AccessDenied,
            1,
            false,
        ),
        (
            403,
            "x-amzn-query-error: RequestThrottled;Sender\r\n",
            "com.amazonaws.sqs#RequestThrottled",
            Throttled,
            3,
            true,
        ),
        (
            400,
            "",
            "com.amazon.coral.availability#ThrottlingException",
            Throttled,
            3,
            true,
        ),
        (
            400,
            "x-amzn-query-error: AWS.SimpleQueueService.NonExistentQueue;Sender\r\n",
            "com.amazonaws.sqs#QueueDoesNotExist",
            Failed,
            1,
            false,
        ),
        (
            400,
            "x-amzn-query-error: KMS.ThrottlingException;Sender\r\n",
            "com.amazonaws.sqs#KmsThrottled",
            Throttled,
            1,
            true,
        ),
        (
            400,
            "x-amzn-query-error: KMS.AccessDeniedException;Sender\r\n",
            "com.amazonaws.sqs#KmsAccessDenied",
            AccessDenied,
            1,
            false,
        ),
        (
            500,
            "",
            "com.amazonaws.sqs#InternalError",
            Unavailable,
            3,
            true,
        ),
    ] {
        let body = json!({"__type": code, "message": "no\u{7}t now"}).to_string();
        let (endpoint, requests) = serve(vec![(status, header, body); attempts]);
        let error = send(&endpoint).await.unwrap_err();
        assert_eq!((error.kind, error.may_pass()), (kind, passes), "{error}");
        assert_eq!(
            (error.operation, error.resource.as_str()),
            ("sqs:SendMessage", QUEUE)
        );
        assert!(error.detail.ends_with("no t now"), "{error}");
        assert_eq!(requests.iter().count(), attempts, "{error}");
    }
}

#[tokio::test]
async fn a_queue_that_nobody_serves_may_be_there_later() {
    // Nothing listens there any more.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = send(&endpoint).await.unwrap_err();
    assert!(error.may_pass(), "{error}");
}
