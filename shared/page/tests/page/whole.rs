//! Nothing that was found is missing, and the counts agree.

use copymend_page::{rpo, scan};
use copymend_survey::rpo::{Objectives, State};
use proptest::prelude::*;

use crate::worlds::{self, data, incident, numbers, texts};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the incidents are and whatever others wrote in them.
    #[test]
    fn every_incident_is_in_the_page(
        found in prop::collection::vec((1_u64..500, 0_usize..30, ".{0,60}"), 0..80)
    ) {
        let incidents: Vec<_> = found
            .iter()
            .map(|(count, vault, words)| {
                let vault = format!("{}-{vault}", worlds::VAULT);
                incident(*count, &vault, words)
            })
            .collect();
        let scan_of = worlds::scan(incidents, Vec::new());
        let page = scan(&scan_of).unwrap();
        if found.is_empty() {
            prop_assert!(page.contains("<p>Nothing failed.</p>"));
            return Ok(());
        }
        let data = data(&page);
        let counts: Vec<u64> = found.iter().map(|(count, ..)| *count).collect();
        prop_assert_eq!(numbers(&data, "Jobs"), counts);
        let at: Vec<String> = found
            .iter()
            .map(|(_, vault, _)| format!("dr-{vault} (444455556666, eu-west-1)"))
            .collect();
        prop_assert_eq!(texts(&data, "Vault or key"), at);
        prop_assert!(data["sections"].as_array().unwrap().iter().all(serde_json::Value::is_array));
        let jobs = scan_of.jobs();
        let total = format!("<dt>Jobs that failed</dt><dd>{jobs}</dd>");
        prop_assert!(page.contains(&total), "{}", total);
        // The plot of days counts every job.
        let days = format!("aria-label=\"{jobs} jobs from 2026-11-01 to 2026-11-02;");
        prop_assert!(page.contains(&days), "{}", days);
    }
}

#[test]
fn every_place_is_in_the_page_in_its_state() {
    let places: Vec<_> = State::ALL
        .into_iter()
        .enumerate()
        .map(|(number, state)| worlds::place(number, state, ""))
        .collect();
    let findings = worlds::findings(places);
    let page = rpo(&findings, &Objectives::new(Vec::new())).unwrap();
    let names: Vec<&str> = State::ALL.into_iter().map(State::name).collect();
    assert_eq!(texts(&data(&page), "State"), names);
    assert!(page.contains("Objectives: none."), "{page}");
}
