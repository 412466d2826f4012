//! The world editor: healthy worlds of many shapes, how each cause breaks one, and how exactly that
//! is mended.
//!
//! It is written from AWS's pages, as the rules of the sandbox are, and knows nothing of how the
//! diagnosis finds a cause. What is true of a world that it made is therefore known without asking
//! the program that is to be tested.
//!
//! ```
//! use copymend_sandbox::editor;
//!
//! let mut drawn = editor::draw(7);
//! assert!(drawn.world().unwrap().copy_jobs()[0].failure().is_some());
//! for broken in drawn.breaks().to_vec() {
//!     drawn.mend(broken);
//! }
//! assert!(drawn.world().unwrap().copy_jobs()[0].failure().is_none());
//! ```

mod breaks;
mod draft;
mod draw;
mod healthy;
mod shape;

use copymend_diagnosis::Cause;

pub use draft::Draft;
pub use draw::{Drawn, draw};
pub use healthy::JOB;
pub use shape::{Backup, Shape, VaultKind};

/// One way to break a healthy copy.
#[derive(Debug)]
pub struct Break {
    /// The name of the way, unique among all.
    pub name: &'static str,
    /// The cause that it brings about.
    pub cause: Cause,
    /// Whether a rule of the sandbox refuses the copy then. Otherwise it is a fault inside AWS,
    /// which only its message tells.
    pub is_rule: bool,
    /// The parts of the world that it changes. Two ways that share one can't stand beside each
    /// other.
    places: &'static [Place],
    applies: fn(Shape) -> bool,
    make: fn(&mut Draft),
    mend: fn(&mut Draft),
}

/// Every way to break a copy.
#[must_use]
pub fn breaks() -> Vec<&'static Break> {
    breaks::ALL.iter().flat_map(|ways| ways.iter()).collect()
}

impl Break {
    /// Whether a world of this shape can be broken like this.
    #[must_use]
    pub fn applies_to(&self, shape: Shape) -> bool {
        (self.applies)(shape)
    }

    /// Whether both can stand beside each other, so that each can be mended without the other.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        !self.places.iter().any(|place| other.places.contains(place))
    }

    /// Breaks a world that isn't broken in this way yet.
    pub fn make(&self, draft: &mut Draft) {
        (self.make)(draft);
    }

    /// Mends exactly what this way broke, and nothing else.
    pub fn mend(&self, draft: &mut Draft) {
        (self.mend)(draft);
    }
}

/// A part of a world that a break changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Role,
    Trust,
    RolePolicies,
    Boundary,
    ServiceControl,
    ResourceControl,
    Membership,
    Feature,
    ServiceLinkedRole,
    OptIn,
    Point,
    Tags,
    TagPolicy,
    SourceVaultPolicy,
    Vault,
    VaultAllow,
    VaultDeny,
    Lock,
    VaultKey,
    VaultKeyPolicy,
    VaultKeyDeny,
    SourceKey,
    SourceKeyPolicy,
    SourceKeyDeny,
    SecondKey,
    Fault,
}
