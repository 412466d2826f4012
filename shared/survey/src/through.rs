//! Reads that go through to those beneath, for environments that answer some of them by themselves.

/// Methods of [`Backup`](copymend_remediation::ports::Backup) that ask the reads beneath, which stand in
/// the field `reads`.
macro_rules! backup_through {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        $(async fn $name(&self, $($argument: $kind),*) -> CallResult<$answer> {
            self.reads.backup().$name($($argument),*).await
        })*
    };
}

/// The ports of reads whose only port of their own is [`Backup`](copymend_remediation::ports::Backup).
/// The reads beneath are of type `R`.
macro_rules! reads_through {
    () => {
        type Backup = Self;
        type Keys = R::Keys;
        type Identities = R::Identities;
        type Organizations = R::Organizations;
        type Images = R::Images;
        type ResourceTags = R::ResourceTags;
        type Notifier = R::Notifier;
        type Ledger = R::Ledger;
        type Clock = R::Clock;

        fn backup(&self) -> &Self {
            self
        }

        fn keys(&self) -> &R::Keys {
            self.reads.keys()
        }

        fn identities(&self) -> &R::Identities {
            self.reads.identities()
        }

        fn organizations(&self) -> &R::Organizations {
            self.reads.organizations()
        }

        fn images(&self) -> Option<&R::Images> {
            self.reads.images()
        }

        fn resource_tags(&self) -> Option<&R::ResourceTags> {
            self.reads.resource_tags()
        }

        fn organization_reader(&self) -> Option<copymend_policy::AccountId> {
            self.reads.organization_reader()
        }

        fn notifier(&self) -> &R::Notifier {
            self.reads.notifier()
        }

        fn ledger(&self) -> Option<&R::Ledger> {
            self.reads.ledger()
        }

        fn clock(&self) -> &R::Clock {
            self.reads.clock()
        }
    };
}

/// What stands over a planned copy, asked beneath.
macro_rules! guardrails_through {
    () => {
        async fn policies_for_target(
            &self,
            reader: copymend_policy::AccountId,
            target: &str,
            kind: copymend_diagnosis::ControlPolicyKind,
            partition: &str,
        ) -> CallResult<Vec<String>> {
            self.reads
                .policies_for_target(reader, target, kind, partition)
                .await
        }

        async fn policy_text(
            &self,
            reader: copymend_policy::AccountId,
            policy: &str,
            partition: &str,
        ) -> CallResult<String> {
            self.reads.policy_text(reader, policy, partition).await
        }

        async fn is_region_enabled(
            &self,
            account: copymend_policy::AccountId,
            region: &str,
            partition: &str,
        ) -> CallResult<bool> {
            self.reads
                .is_region_enabled(account, region, partition)
                .await
        }
    };
}

pub(crate) use {backup_through, guardrails_through, reads_through};
