//! The environment that leads programs to the sandbox.

use std::fmt;

/// Names and values, in the order in which they are shown. As text they are lines for a shell:
/// `export NAME='value'`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(Vec<(&'static str, String)>);

impl Environment {
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        let value = value.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// The names and their values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The same, with another address first.
    pub(crate) fn at(&self, endpoint_url: &str) -> Self {
        let mut environment = Self::default();
        environment.set("AWS_ENDPOINT_URL", endpoint_url);
        for (name, value) in &self.0 {
            if *name != "AWS_ENDPOINT_URL" {
                environment.set(name, value);
            }
        }
        environment
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.iter() {
            writeln!(
                formatter,
                "export {name}='{}'",
                value.replace('\'', r"'\''")
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Environment;

    #[test]
    fn values_are_quoted_for_a_shell() {
        let mut environment = Environment::default();
        environment.set("COPYMEND_ALLOWED_KEYS", "*");
        environment.set("NAME", "it's");
        let text = environment.at("http://127.0.0.1:1").to_string();
        assert_eq!(
            text,
            "export AWS_ENDPOINT_URL='http://127.0.0.1:1'\nexport COPYMEND_ALLOWED_KEYS='*'\nexport NAME='it'\\''s'\n"
        );
    }
}
