//! What a run costs at most, with the arithmetic.

/// A month of AWS's prices, in hours.
const HOURS_OF_A_MONTH: f64 = 730.0;
/// US dollars a GiB and month of a gp3 volume (us-east-1; from third-party pages of 2025).
const VOLUME: f64 = 0.08;
/// US dollars a GiB and month of a snapshot, the backup and its copy (us-east-1; from third-party
/// pages of 2025). An empty volume has nearly nothing to store; the whole GiB is counted.
const SNAPSHOT: f64 = 0.05;
/// US dollars a month of a customer managed key (AWS KMS pricing page, documented, read in November
/// 2026). A key that is pending deletion costs nothing (the same page).
const KEY: f64 = 1.0;
/// US dollars a GiB that goes to another Region (from third-party pages of 2025).
const TRANSFER: f64 = 0.02;
/// What a run is counted with, in hours. Most are done within one.
const HOURS: f64 = 2.0;

/// The line on cost.
pub(crate) fn cost(with_key: bool, is_cross_region: bool) -> String {
    let keys = if with_key { 2.0 } else { 1.0 };
    let transfer = if is_cross_region { TRANSFER } else { 0.0 };
    let month = VOLUME + 2.0 * SNAPSHOT + keys * KEY;
    let total = month * HOURS / HOURS_OF_A_MONTH + transfer;
    let of_transfer = if is_cross_region {
        format!(" + 1 GiB to another Region × ${TRANSFER:.2}")
    } else {
        String::new()
    };
    format!(
        "At most about ${total:.3}: (1 GiB gp3 × ${VOLUME:.2} + 2 snapshots of 1 GiB × ${SNAPSHOT:.2} + {keys} key × ${KEY:.2}) a month × \
         {HOURS} hours / {HOURS_OF_A_MONTH}{of_transfer}. Prices of us-east-1: keys by AWS's page, November 2026; the rest by third-party \
         pages of 2025, so look yours up."
    )
}

#[cfg(test)]
mod tests {
    use super::cost;

    #[test]
    fn the_arithmetic_is_what_it_says() {
        let line = cost(false, false);
        assert!(line.starts_with("At most about $0.003: "), "{line}");
        assert!(!line.contains("another Region"), "{line}");
        let line = cost(true, true);
        assert!(line.starts_with("At most about $0.026: "), "{line}");
        assert!(
            line.contains(
                "+ 2 key × $1.00) a month × 2 hours / 730 + 1 GiB to another Region × $0.02"
            ),
            "{line}"
        );
    }
}
