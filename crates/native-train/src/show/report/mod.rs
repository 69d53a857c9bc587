//! The report of a run: one self-contained HTML page.
//!
//! `chart` draws lines (`thin` leaves out points), `curves` and `spectra` choose them, `pictures` embeds sample sheets, `page` joins
//! all into HTML.

pub mod chart;
mod curves;
mod escape;
mod page;
mod pictures;
mod spectra;
mod thin;

pub use page::page;
