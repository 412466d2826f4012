//! How long the explanation of a failure message takes.

use std::hint::black_box;

use copymend_diagnosis::messages::explain;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const CATALOGUE: &str = include_str!("../tests/data/messages.tsv");

fn catalogue() -> Vec<&'static str> {
    CATALOGUE
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').nth(2))
        .collect()
}

fn one_by_one(criterion: &mut Criterion) {
    let messages = catalogue();
    let mut group = criterion.benchmark_group("explain");
    group.throughput(Throughput::Elements(messages.len() as u64));
    group.bench_function("catalogue", |bencher| {
        bencher.iter(|| {
            for message in &messages {
                black_box(explain(black_box(message)));
            }
        });
    });
    group.finish();
}

fn long(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("explain-long");
    group.sample_size(20);
    for size in [64 * 1024, 1024 * 1024] {
        let text: String = "Backup vault not found, access denied to perform "
            .chars()
            .cycle()
            .take(size)
            .collect();
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("{} KiB", size / 1024), |bencher| {
            bencher.iter_batched(
                || text.as_str(),
                |text| black_box(explain(text)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, one_by_one, long);
criterion_main!(benches);
