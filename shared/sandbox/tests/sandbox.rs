//! The sandbox, subject by subject.

#[cfg(test)]
#[path = "sandbox/air_gapped.rs"]
mod air_gapped;
#[cfg(test)]
#[path = "sandbox/decisions.rs"]
mod decisions;
#[cfg(test)]
#[path = "sandbox/editor.rs"]
mod editor;
#[cfg(test)]
#[path = "sandbox/events.rs"]
mod events;
#[cfg(test)]
#[path = "sandbox/expert_vaults.rs"]
mod expert_vaults;
#[cfg(test)]
#[path = "sandbox/expert_worlds.rs"]
mod expert_worlds;
#[cfg(test)]
#[path = "sandbox/feature_table.rs"]
mod feature_table;
#[cfg(test)]
#[path = "sandbox/foreseen.rs"]
mod foreseen;
#[cfg(test)]
#[path = "sandbox/handler.rs"]
mod handler;
#[cfg(test)]
#[path = "sandbox/identities.rs"]
mod identities;
#[cfg(test)]
#[path = "sandbox/keys_of_job_role.rs"]
mod keys_of_job_role;
#[cfg(test)]
#[path = "sandbox/ledger.rs"]
mod ledger;
#[cfg(test)]
#[path = "../../aws/src/tests/ledger_contract.rs"]
mod ledger_contract;
#[cfg(test)]
#[path = "sandbox/lists.rs"]
mod lists;
#[cfg(test)]
#[path = "sandbox/loading.rs"]
mod loading;
#[cfg(test)]
#[path = "sandbox/matrix/mod.rs"]
mod matrix;
#[cfg(test)]
#[path = "sandbox/named_causes.rs"]
mod named_causes;
#[cfg(test)]
#[path = "sandbox/not_checkable.rs"]
mod not_checkable;
#[cfg(test)]
#[path = "sandbox/not_principal.rs"]
mod not_principal;
#[cfg(test)]
#[path = "sandbox/orders.rs"]
mod orders;
#[cfg(test)]
#[path = "sandbox/organizations.rs"]
mod organizations;
#[cfg(test)]
#[path = "sandbox/own_calls.rs"]
mod own_calls;
#[cfg(test)]
#[path = "sandbox/own_put.rs"]
mod own_put;
#[cfg(test)]
#[path = "sandbox/ports.rs"]
mod ports;
#[cfg(test)]
#[path = "sandbox/preflights/mod.rs"]
mod preflights;
#[cfg(test)]
#[path = "sandbox/read_once.rs"]
mod read_once;
#[cfg(test)]
#[path = "../../report/tests/report/readable.rs"]
mod readable;
#[cfg(test)]
#[path = "sandbox/refused_puts.rs"]
mod refused_puts;
#[cfg(test)]
#[path = "sandbox/requests.rs"]
mod requests;
#[cfg(test)]
#[path = "sandbox/rules.rs"]
mod rules;
#[cfg(test)]
#[path = "sandbox/rules_of_keys.rs"]
mod rules_of_keys;
#[cfg(test)]
#[path = "sandbox/service_jobs.rs"]
mod service_jobs;
#[cfg(test)]
#[path = "sandbox/small.rs"]
mod small;
#[cfg(test)]
#[path = "sandbox/standing_apart.rs"]
mod standing_apart;
#[cfg(test)]
#[path = "sandbox/torture/mod.rs"]
mod torture;
#[cfg(test)]
#[path = "sandbox/vault_keys.rs"]
mod vault_keys;
#[cfg(test)]
#[path = "sandbox/vault_lists.rs"]
mod vault_lists;
#[cfg(test)]
#[path = "sandbox/worlds/mod.rs"]
mod worlds;
#[cfg(test)]
#[path = "sandbox/writes.rs"]
mod writes;
