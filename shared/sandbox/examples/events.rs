//! Writes `events/`: the event of every named copy job of the default world that failed, and of one
//! what the queue of delayed retries delivers later.
//!
//! Run it in the workspace's root after a change of the default world: `cargo run -p
//! copymend-sandbox --example events`. With `list` as argument it prints the jobs instead.

use std::io::Write as _;
use std::path::Path;

use copymend_sandbox::{World, delivery_of_copy, event_of};

/// The copy whose delivery is a sample.
const PUT_OFF: &str = "concurrency";

fn main() -> std::io::Result<()> {
    let world = World::default_world();
    let list = std::env::args().nth(1).as_deref() == Some("list");
    let mut out = std::io::stdout().lock();
    for job in world.copy_jobs() {
        let name = job.name.as_deref();
        if list {
            writeln!(
                out,
                "{} {} {}: {}",
                job.id,
                name.unwrap_or("-"),
                job.state(),
                job.status_message()
            )?;
        } else if let (Some(name), Some(_)) = (name, job.failure()) {
            let json = serde_json::to_string_pretty(&event_of(job))?;
            std::fs::write(
                Path::new("events").join(format!("{name}.json")),
                json + "\n",
            )?;
            if name == PUT_OFF {
                let json = serde_json::to_string_pretty(&delivery_of_copy(job))?;
                let file = Path::new("events/delayed").join(format!("{name}.json"));
                std::fs::write(file, json + "\n")?;
            }
        }
    }
    Ok(())
}
