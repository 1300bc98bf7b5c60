//! The comments of the contracts.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};

/// The comment above every element of the contracts, by its file and its path in it.
#[derive(Debug, Default)]
pub(super) struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    pub(super) fn of(pool: &DescriptorPool) -> Self {
        let mut comments = HashMap::new();
        for file in pool.files() {
            let info = file.file_descriptor_proto().source_code_info.as_ref();
            for location in info.into_iter().flat_map(|info| &info.location) {
                if let Some(comment) = &location.leading_comments {
                    comments.insert((file.name().to_owned(), location.path.clone()), trimmed(comment));
                }
            }
        }
        Self(comments)
    }

    pub(super) fn at(&self, file: &FileDescriptor, path: &[i32]) -> Option<&str> {
        self.0.get(&(file.name().to_owned(), path.to_vec())).map(String::as_str)
    }
}

/// A comment without the space after each pair of slashes.
fn trimmed(comment: &str) -> String {
    let lines: Vec<_> = comment.lines().map(str::trim).collect();
    lines.join("\n").trim().to_owned()
}
