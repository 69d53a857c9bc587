//! Picture files as training sees them. `native-train` and browsers share this crate, so that the same file gives the
//! same bytes, is refused for the same reason, and is told by the same first bytes.

pub mod area;
pub mod color;
pub mod fit;
pub mod fitted;
pub mod picture;
#[cfg(feature = "web")]
pub mod web;
