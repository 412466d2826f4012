//! However much was found, a browser can open it.

use copymend_page::{rpo, scan};
use copymend_survey::rpo::{Objectives, State};

use crate::worlds::{self, data, incident};

const JOBS: usize = 10_000;
const MOST_BYTES: usize = 5_000_000;

/// The worst that ten thousand jobs can be: as many incidents, and no text twice.
#[test]
fn ten_thousand_incidents_stay_below_five_megabytes() {
    let incidents = (0..JOBS).map(|number| {
        let words = format!("{number} {}", "<why it failed & what AWS said> ".repeat(10));
        incident(1, &format!("{}-{number}", worlds::VAULT), &words)
    });
    let page = scan(&worlds::scan(incidents.collect(), Vec::new())).unwrap();
    assert!(page.len() < MOST_BYTES, "{}", page.len());
    let data = data(&page);
    let sections = data["sections"].as_array().unwrap();
    assert_eq!(sections.len(), JOBS);
    // The first open, the last don't; the page says how many.
    let opened = sections.iter().take_while(|one| one.is_array()).count();
    assert!(opened > 100, "{opened}");
    assert!(sections.iter().skip(opened).all(serde_json::Value::is_null));
    let told = format!(
        "Evidence and steps of the last {} incidents have no room",
        JOBS - opened
    );
    assert!(page.contains(&told), "{told}");
}

#[test]
fn ten_thousand_places_that_are_all_missed_stay_below_it() {
    for state in [State::Gone, State::Late, State::Unknown] {
        let words = "the newest copy is older than the objective; copies lag behind backups";
        let places = (0..JOBS).map(|number| worlds::place(number, state, words));
        let findings = worlds::findings(places.collect());
        let page = rpo(&findings, &Objectives::new(Vec::new())).unwrap();
        assert!(page.len() < MOST_BYTES, "{state:?}: {}", page.len());
        assert_eq!(data(&page)["sections"].as_array().unwrap().len(), JOBS);
    }
}

/// A list of thousands of lines would be thousands of elements.
#[test]
fn many_remarks_are_one_text_and_none_is_lost() {
    let notes: Vec<String> = (0..3_000).map(|number| format!("note {number}.")).collect();
    let page = scan(&worlds::scan(vec![incident(1, worlds::VAULT, "")], notes)).unwrap();
    assert_eq!(page.matches("<li>NOTE note ").count(), 20);
    for number in [0, 19, 20, 2_999] {
        assert!(page.contains(&format!("NOTE note {number}.")), "{number}");
    }
}
