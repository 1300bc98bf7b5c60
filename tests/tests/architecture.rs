//! The arrows of the architecture, read from `cargo metadata` and the sources: which crate may know which, and what a
//! domain may import.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, MetadataCommand};

const SERVICES: [&str; 5] =
    ["conum-applications", "conum-candidates", "conum-matching", "conum-training", "conum-finance"];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// What each crate of the workspace depends on, crates of the workspace only, tests left out.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().current_dir(workspace()).no_deps().other_options(["--offline".into()]).exec();
    let metadata = metadata.unwrap();
    let ours: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let of = |package: &cargo_metadata::Package| {
        let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        normal.map(|dependency| dependency.name.clone()).filter(|name| ours.contains(name)).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), of(package))).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn a_service_knows_the_contracts_and_no_other_service() {
    let arrows = arrows();
    for service in SERVICES {
        let mut allowed = set(&["conum-kernel", "conum-geo", "conum-proto", "conum-service"]);
        if service == "conum-matching" {
            allowed.insert("conum-engine".into());
        }
        let extra: Vec<_> = arrows[service].difference(&allowed).collect();
        assert!(extra.is_empty(), "{service} depends on {extra:?}");
    }
    let extra: Vec<_> =
        arrows["conum-gateway"].difference(&set(&["conum-kernel", "conum-proto", "conum-service"])).cloned().collect();
    assert!(extra.is_empty(), "the gateway depends on {extra:?}");
}

#[test]
fn shared_crates_know_no_service_and_the_kernel_and_the_map_know_nobody() {
    let arrows = arrows();
    assert_eq!(arrows["conum-kernel"], set(&[]));
    assert!(arrows["conum-geo"].is_subset(&set(&["conum-kernel"])));
    assert_eq!(arrows["conum-engine"], set(&["conum-geo"]));
    assert_eq!(arrows["conum-proto"], set(&[]));
    assert_eq!(arrows["conum-service"], set(&["conum-kernel", "conum-proto"]));
    for (name, knows) in &arrows {
        if name.starts_with("conum-") && !["conum-tests"].contains(&name.as_str()) {
            assert!(!knows.contains("conum"), "{name} depends on the binary");
        }
    }
}

/// Every Rust file under a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The lines of a file that are code, its tests left out.
fn code(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("\n#[cfg(test)]").next().unwrap_or_default().to_owned();
    text.lines().map(str::trim).filter(|line| !line.starts_with("//")).map(str::to_owned).collect()
}

#[test]
fn a_domain_knows_no_runtime_no_transport_no_database_and_no_clock() {
    const FORBIDDEN: [&str; 12] = [
        "tokio",
        "tonic",
        "sea_orm",
        "prost",
        "futures::",
        "conum_proto",
        "conum_service",
        "async fn",
        ".await",
        "Timestamp::now",
        "crate::storage",
        "crate::rpc",
    ];
    for service in SERVICES {
        let folder = workspace().join("services").join(service.trim_start_matches("conum-")).join("src/domain");
        let files = sources(&folder);
        assert!(!files.is_empty(), "{service} has no domain");
        for file in files {
            for line in code(&file) {
                for word in FORBIDDEN {
                    assert!(!line.contains(word), "{}: {line}", file.display());
                }
            }
        }
    }
}

#[test]
fn the_second_look_at_a_wave_shares_no_code_with_the_first() {
    let file = workspace().join("services/matching/src/domain/verification.rs");
    for line in code(&file) {
        for word in
            ["conum_engine", "eligibility", "assign(", "best(", "order.cost", ".is_due(", ".counts(", ".latest("]
        {
            assert!(!line.contains(word), "{line}");
        }
    }
}

#[test]
fn storage_knows_the_domain_and_not_the_methods() {
    for service in SERVICES {
        let folder = workspace().join("services").join(service.trim_start_matches("conum-")).join("src/storage");
        for file in sources(&folder) {
            for line in code(&file) {
                for word in ["crate::rpc", "crate::commands", "crate::tasks", "tonic::"] {
                    assert!(!line.contains(word), "{}: {line}", file.display());
                }
            }
        }
    }
}

#[test]
fn a_main_fits_a_screen_and_no_crate_is_a_drawer() {
    for service in ["applications", "candidates", "matching", "training", "finance", "gateway"] {
        let main = workspace().join("services").join(service).join("src/main.rs");
        let lines = fs::read_to_string(&main).unwrap().lines().count();
        assert!(lines < 40, "{} has {lines} lines", main.display());
    }
    for folder in ["proto", "shared", "services", "tests"] {
        for file in sources(&workspace().join(folder)) {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(!["common", "utils", "helpers", "misc"].contains(&name.as_str()), "{}", file.display());
        }
    }
}
