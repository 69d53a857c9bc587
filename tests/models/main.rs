//! Model files of other programs: what the importer reads, computes and refuses.

// a panic is how a test fails, in its helpers too
#![allow(clippy::unwrap_used)]

mod class_names;
mod import;
mod import_forms;
mod parity;
mod streams;
/// What test programs share.
#[path = "../support"]
mod support {
    pub mod fixtures;
    pub mod torch_writer;
}
mod torch_files;
