//! Compiles the contracts with protox: no protoc is needed.
//!
//! The descriptors are written beside the code with every option kept, because access control, REST routes and OpenAPI
//! are read from them at run time.

use std::{env, fs, path::PathBuf};

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files = Vec::new();
    protos("conum".into(), &mut files)?;
    files.sort();
    println!("cargo:rerun-if-changed=conum");
    println!("cargo:rerun-if-changed=google");

    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_source_info(true).include_imports(true).open_files(&files)?;
    // `encode_file_descriptor_set` keeps the options that prost-types' own structs would drop.
    let encoded = compiler.encode_file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), &encoded)?;

    let set = prost_types(&encoded)?;
    tonic_prost_build::configure().build_transport(true).bytes(".conum.events.v1").compile_fds(set)?;
    Ok(())
}

fn prost_types(encoded: &[u8]) -> Result<protox::prost_reflect::prost_types::FileDescriptorSet, prost::DecodeError> {
    protox::prost_reflect::prost_types::FileDescriptorSet::decode(encoded)
}

fn protos(folder: PathBuf, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            protos(path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
