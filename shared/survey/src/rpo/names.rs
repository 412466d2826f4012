//! Names that stand often, each kept once.

use std::collections::HashMap;
use std::hash::Hash;

/// Things that are named often, each kept once.
#[derive(Clone, Debug)]
pub(super) struct Names<T> {
    ids: HashMap<T, u32>,
    names: Vec<T>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self {
            ids: HashMap::new(),
            names: Vec::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Names<T> {
    /// The place of a name; a new one where it is new.
    pub(super) fn id(&mut self, name: T) -> u32 {
        if let Some(id) = self.ids.get(&name) {
            return *id;
        }
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.clone());
        self.ids.insert(name, id);
        id
    }

    /// The place of a name, where it has one.
    pub(super) fn known(&self, name: &T) -> Option<&u32> {
        self.ids.get(name)
    }

    /// The name of a place.
    pub(super) fn name(&self, id: u32) -> Option<&T> {
        self.names.get(usize::try_from(id).ok()?)
    }
}
