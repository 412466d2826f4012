use copymend_remediation::settings::Mode;
use copymend_sandbox::Sandbox;

use super::breaks::BREAKS;
use super::scene::{Scene, broken_rule, handle, named};

#[tokio::test]
async fn try_it() {
    assert_eq!(broken_rule(&Scene::healthy().load()), None);
    for broken in BREAKS {
        let mut scene = Scene::healthy();
        (broken.apply)(&mut scene);
        let world = scene.load();
        let rule = broken_rule(&world);
        let report = handle(&Sandbox::new(world), Mode::Observe).await;
        println!(
            "{} rule {:?} named {:?} unknown {:?}",
            broken.cause,
            rule,
            named(&report),
            report
                .diagnosis
                .unknown
                .iter()
                .map(|u| format!("{}", u))
                .collect::<Vec<_>>()
        );
    }
    for (i, a) in BREAKS.iter().enumerate() {
        for b in &BREAKS[i + 1..] {
            let mut scene = Scene::healthy();
            let r = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                (a.apply)(&mut scene);
                (b.apply)(&mut scene);
                scene.load()
            }));
            let Ok(world) = r else {
                println!("PAIR {} {} cannot", a.cause, b.cause);
                continue;
            };
            let report = handle(&Sandbox::new(world), Mode::Observe).await;
            let n = named(&report);
            if n != [a.cause, b.cause] {
                println!(
                    "PAIR {} {} named {:?} ; all {:?}",
                    a.cause,
                    b.cause,
                    n,
                    report
                        .diagnosis
                        .candidates
                        .iter()
                        .map(|c| format!("{}:{:?}", c.cause, c.verdict))
                        .collect::<Vec<_>>()
                );
            }
        }
    }
}
