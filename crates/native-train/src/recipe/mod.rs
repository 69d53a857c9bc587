//! What will run: a recipe's sections as data, overrides, and the validated plan.

pub mod byte_size;
pub mod collapse_action;
pub mod collapse_section;
pub mod data_section;
pub mod keep_section;
pub mod overrides;
pub mod plan;
pub mod run_section;
pub mod score_section;
mod values;
