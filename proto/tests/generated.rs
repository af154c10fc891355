//! The checked-in code is what the `.proto` files say.
//!
//! `SILVERBACK_REGENERATE=1 cargo test -p silverback-proto` writes it anew (the way of linkerd2-proxy-api).

use std::{env, fs, path::Path};

use tonic_prost_build::configure;

/// Contracts that are described separately, so that an edge's reflection shows no other's: files and where their descriptors lie.
const CONTRACTS: [(&[&str], &str); 2] = [
    (&["v1/types.proto", "v1/worker.proto", "v1/router.proto"], "descriptors.bin"),
    (&["keda/externalscaler.proto"], "externalscaler.bin"),
];

const GENERATED: [&str; 4] = ["silverback.v1.rs", "descriptors.bin", "externalscaler.rs", "externalscaler.bin"];

#[test]
fn checked_in_code_matches_the_proto_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = root.join("src/gen");
    let fresh = tempfile::tempdir().expect("a temporary directory");

    let out = if env::var_os("SILVERBACK_REGENERATE").is_some() { kept.clone() } else { fresh.path().to_owned() };
    for (sources, file) in CONTRACTS {
        let descriptors = protox::compile(sources, [root]).expect("the proto files compile");
        fs::write(out.join(file), protox::prost::Message::encode_to_vec(&descriptors)).expect("descriptors");
        configure()
            .out_dir(&out)
            .btree_map(".")
            .build_transport(false)
            .compile_fds(descriptors)
            .expect("code is generated");
    }

    for file in GENERATED {
        let same = fs::read(kept.join(file)).ok() == fs::read(out.join(file)).ok();
        assert!(same, "{file} is stale: run SILVERBACK_REGENERATE=1 cargo test -p silverback-proto");
    }
}
