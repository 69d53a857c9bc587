//! Weights from elsewhere.
pub mod torch;
mod change;
mod config_text;
mod fold;
