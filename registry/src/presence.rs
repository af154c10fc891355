//! A process that is there though no step is sent to it: a router, or a worker that is still loading.

use serde::{Deserialize, Serialize};

use crate::{
    card::read_json,
    error::{RegistryError, excerpt},
    record::{WorkerId, is_address, milliseconds_since_1970},
};

/// What such a process writes under its lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Follows the rules of a worker's id; unique among routers, or among the workers of a capability.
    pub id: WorkerId,
    /// `http://host:port`, as others reach it.
    pub address: String,
    /// Start of the process, milliseconds since 1970; tells two owners of one id apart.
    pub started: u64,
}

// === impl Presence ===

impl Presence {
    /// Largest value in bytes of JSON.
    pub const MAX_BYTES: usize = 1024;

    /// This process, started now. The address makes the id: a process that comes back at its place takes its old name.
    ///
    /// # Errors
    /// `InvalidRecord` when the address is none.
    pub fn at(address: impl Into<String>) -> Result<Self, RegistryError> {
        let address = address.into();
        if !is_address(&address) {
            let problems = format!("address `{}`: write `http://host:port`", excerpt(&address));
            return Err(RegistryError::InvalidRecord { problems });
        }
        let name = address.trim_start_matches("http://").replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        // An address may be longer than a name.
        let id = WorkerId::new(name.chars().take(WorkerId::MAX_BYTES).collect::<String>())?;
        Ok(Self { id, address, started: milliseconds_since_1970() })
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("it has only strings and integers")
    }

    /// Reads and checks what lies under the key of `id`. Error: what is wrong, for a log.
    pub(crate) fn read(json: &[u8], id: &WorkerId) -> Result<Self, String> {
        let presence: Self = read_json(json, Self::MAX_BYTES)?;
        if presence.id != *id {
            return Err(format!("says it is {}", presence.id));
        }
        if !is_address(&presence.address) {
            return Err(format!("address `{}` is not `http://host:port`", excerpt(&presence.address)));
        }
        Ok(presence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_under_its_own_key_only() {
        let presence = Presence::at("http://10.0.0.1:7411").unwrap();
        let json = presence.to_json();
        assert_eq!(presence.id.as_str(), "10-0-0-1-7411");
        assert_eq!(Presence::read(json.as_bytes(), &presence.id).unwrap(), presence);
        assert!(
            Presence::read(json.as_bytes(), &WorkerId::new("other").unwrap()).unwrap_err().contains("10-0-0-1-7411")
        );
        let ftp = json.replace("http://", "ftp://");
        assert!(Presence::read(ftp.as_bytes(), &presence.id).unwrap_err().contains("http://host:port"));
        assert!(Presence::read(&[b' '; Presence::MAX_BYTES + 1], &presence.id).unwrap_err().contains("at most"));
    }

    #[test]
    fn an_address_of_any_allowed_length_makes_an_id() {
        let long = format!("http://{}:1", "a".repeat(253));
        assert_eq!(Presence::at(long).unwrap().id.as_str().len(), WorkerId::MAX_BYTES);
        assert!(Presence::at("10.0.0.1:7411").unwrap_err().to_string().contains("http://host:port"));
    }
}
