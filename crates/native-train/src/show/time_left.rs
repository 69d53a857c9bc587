//! The remaining time of a run, in words.

use indicatif::HumanDuration;

use crate::records::log_record::LogRecord;

/// Time until `total_images` are seen at the speed of a record, in words.
pub fn time_left(record: &LogRecord, total_images: u64) -> String {
    let left = total_images.saturating_sub(record.images_seen) as f64;
    std::time::Duration::try_from_secs_f64(left / record.images_per_sec)
        .map_or("unknown".to_owned(), |left| HumanDuration(left).to_string())
}
