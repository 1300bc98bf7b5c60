//! The contracts of an orchard, for tests: what the gateway handles and the contracts of Conum do not use.

use std::path::Path;

use prost_reflect::DescriptorPool;

/// The descriptors of `tests/protos/orchard.proto`.
pub(crate) fn pool() -> DescriptorPool {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut compiler = protox::Compiler::new([here.join("tests/protos"), here.join("../../proto")]).unwrap();
    compiler.include_source_info(true).include_imports(true).open_file("orchard.proto").unwrap();
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
}

/// The descriptors of Conum.
pub(crate) fn conum() -> DescriptorPool {
    DescriptorPool::decode(conum_proto::DESCRIPTORS).unwrap()
}
