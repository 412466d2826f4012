//! Ids that look like AWS's and follow from what they are for, so that a world always gets the same
//! ones.

/// FNV-1a. Nothing here is secret; the ids only have to differ and to stay the same.
fn hash(parts: &[&str], seed: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
    for part in parts {
        for byte in part.bytes().chain([0x1f]) {
            hash ^= u64::from(byte);
            hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

/// A number that an id always has, and hardly any other id.
pub(crate) fn place(id: &str) -> u64 {
    // The ids' ends are alike in FNV-1a's high bits, so these are mixed once more.
    let mixed = hash(&[id], 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}

/// Thirty-two hexadecimal digits.
fn digits(parts: &[&str]) -> String {
    format!(
        "{:016x}{:016x}",
        hash(parts, 0),
        hash(parts, 0x9e37_79b9_7f4a_7c15)
    )
}

/// An id in the shape of a UUID.
pub(crate) fn uuid(parts: &[&str]) -> String {
    let digits = digits(parts);
    let mut id = String::with_capacity(36);
    for (index, digit) in digits.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(if index == 12 { '4' } else { digit });
    }
    id
}

/// Seventeen hexadecimal digits, as after `snap-0…`.
pub(crate) fn short(parts: &[&str]) -> String {
    digits(parts).chars().take(17).collect()
}

/// The id of a role, such as `AROAEXAMPLE…`.
pub(crate) fn role_id(role: &str) -> String {
    principal_id("AROA", &["role", role])
}

/// The id of a user, such as `AIDAEXAMPLE…`.
pub(crate) fn user_id(user: &str) -> String {
    principal_id("AIDA", &["user", user])
}

fn principal_id(prefix: &str, parts: &[&str]) -> String {
    let tail: String = digits(parts).to_uppercase().chars().take(16).collect();
    format!("{prefix}{tail}A")
}
