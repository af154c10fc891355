//! Runs the built binary, and a model hub on loopback for it to talk to.

mod hub;
mod process;
mod router;
mod wheel;

pub use hub::Hub;
pub use process::Silverback;
pub use router::{Script, ScriptedRouter};
pub use wheel::write_wheel;

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// Longer than anything here takes on a busy machine; a test that needs it all has failed.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until the condition holds; panics with what was awaited when it does not in time.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "never: {what}");
        std::thread::yield_now();
    }
}

/// Lower case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
