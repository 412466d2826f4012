//! How long it takes to read a key policy and to ask it something.

use std::fmt::Write;
use std::hint::black_box;

use copymend_policy::{PolicyDocument, Request, append, evaluate};
use criterion::{Criterion, criterion_group, criterion_main};

/// A key policy of `count` statements, none of which decides the request.
fn key_policy(count: usize) -> String {
    let mut text = String::from("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [");
    for index in 0..count {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(
            text,
            r#"{comma}
    {{
      "Sid": "Allow use of the key {index}",
      "Effect": "Allow",
      "Principal": {{ "AWS": ["arn:aws:iam::11112222{index:04}:root", "arn:aws:iam::444455556666:role/App{index}"] }},
      "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
      "Resource": "arn:aws:kms:*:444455556666:key/*",
      "Condition": {{
        "StringLike": {{ "kms:ViaService": ["ec2.*.amazonaws.com", "rds.*.amazonaws.com"] }},
        "ArnLike": {{ "aws:PrincipalArn": "arn:aws:iam::*:role/team-{index}/*" }},
        "Bool": {{ "kms:GrantIsForAWSResource": "true" }}
      }}
    }}"#
        );
    }
    text.push_str("\n  ]\n}");
    text
}

fn policies(criterion: &mut Criterion) {
    let text = key_policy(50);
    // As near to the limit of a key policy, 32,768 bytes, as whole statements come.
    let large = key_policy(54);
    let policy = PolicyDocument::parse(&text).unwrap_or_else(|error| unreachable!("{error}"));
    let request = Request::new(
        "arn:aws:sts::444455556666:assumed-role/App7/session",
        "kms:Decrypt",
        "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    )
    .with_context("kms:ViaService", ["rds.eu-west-1.amazonaws.com"])
    .with_context("kms:GrantIsForAWSResource", ["true"]);
    criterion.bench_function("evaluate, 50 statements", |bench| {
        bench.iter(|| evaluate(black_box(&policy), black_box(&request)));
    });
    let everyone = text.replace("11112222", "44445555");
    let everyone = PolicyDocument::parse(&everyone.replace("arn:aws:iam::44445555", "*\",\"x"));
    if let Ok(everyone) = everyone {
        criterion.bench_function("evaluate, 50 statements for everyone", |bench| {
            bench.iter(|| evaluate(black_box(&everyone), black_box(&request)));
        });
    }
    criterion.bench_function(&format!("parse, {} bytes", large.len()), |bench| {
        bench.iter(|| PolicyDocument::parse(black_box(&large)));
    });
    criterion.bench_function("append nothing to a fresh document", |bench| {
        bench.iter(|| append(black_box(Some(&policy)), &[]));
    });
}

criterion_group!(benches, policies);
criterion_main!(benches);
