//! Of how many days.

use std::sync::Mutex;

use copymend_remediation::ports::Location;
use copymend_sandbox::{Sandbox, World};
use copymend_survey::scan::{Fold, Investigation, Scope, gather};
use jiff::Timestamp;
use serde_json::json;

const ACCOUNT: &str = "111122223333";

#[tokio::test]
async fn a_scan_of_one_day_sees_the_job_that_took_a_week_to_fail() {
    let job = |id: &str, made: &str, ended: &str| {
        json!({
            "id": id,
            "account": ACCOUNT,
            "region": "us-east-1",
            "state": "EXPIRED",
            "creation_date": made,
            "completion_date": ended,
        })
    };
    let world = json!({
        "time": "2026-11-08T06:00:00Z",
        "accounts": {ACCOUNT: {}},
        "backup_jobs": [
            job("a", "2026-11-01T06:00:00Z", "2026-11-08T05:00:00Z"),
            job("b", "2026-11-01T06:00:00Z", "2026-11-07T05:00:00Z"),
        ],
    });
    let sandbox = Sandbox::new(World::from_json(&world.to_string()).expect("a world"));
    let since: Timestamp = "2026-11-07T06:00:00Z".parse().expect("a time");
    let scope = Scope {
        places: vec![Location::new(ACCOUNT.parse().unwrap(), "us-east-1")],
        since,
        with_jobs: true,
    };
    let fold = Mutex::new(Fold::new(since, false));
    let messages_alone = None::<Investigation<'_, Sandbox>>;
    gather(&sandbox, &scope, messages_alone, &fold, &|_| {}).await;
    let until = "2026-11-08T06:00:00Z".parse().expect("a time");
    let fold = fold.into_inner().expect("a fold");
    let scan = fold.finish(&scope, false, until, None);
    let [expired] = scan.incidents.as_slice() else {
        panic!("{scan:?}");
    };
    assert_eq!((expired.count, expired.example.job.as_str()), (1, "a"));
}
