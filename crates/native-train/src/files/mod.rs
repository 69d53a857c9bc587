//! Models and related files on disk: weights, latents, class names, runs of other programs.

pub mod by_name;
pub mod class_choice;
pub mod class_list;
pub mod export;
pub mod folder_names;
pub mod foreign_run;
pub mod hub_folder;
pub mod latents_file;
pub mod model_files;
pub mod single_picture;
