//! Faults that no call can return: a lost GPU, a shader that does not compile, a panic.

use std::cell::RefCell;

use js_sys::Function;
use wasm_bindgen::prelude::*;

thread_local! {
    static WATCHER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Calls `watcher(message)` at every fault from now on. After a fault the instance must not be used.
#[wasm_bindgen(js_name = watchFaults)]
pub fn watch_faults(watcher: Function) {
    WATCHER.set(Some(watcher));
    std::panic::set_hook(Box::new(|panic| report(&panic.to_string())));
    // an error only if another logger was set first, which then receives the faults of shaders
    if log::set_logger(&Console).is_ok() {
        log::set_max_level(log::LevelFilter::Warn);
    }
}

/// Reports a fault to the watcher.
pub(crate) fn report(message: &str) {
    let message = JsValue::from_str(message);
    WATCHER.with_borrow(|watcher| {
        let handed = watcher
            .as_ref()
            .map(|watcher| watcher.call1(&JsValue::NULL, &message));
        if !matches!(handed, Some(Ok(_))) {
            web_sys::console::error_1(&message);
        }
    });
}

/// The log of Burn and wgpu: warnings go to the console, errors are faults (a failed shader is
/// reported nowhere else).
struct Console;

impl log::Log for Console {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{}: {}", record.target(), record.args());
        match record.level() {
            log::Level::Error => report(&line),
            log::Level::Warn => web_sys::console::warn_1(&line.into()),
            _ => {}
        }
    }

    fn flush(&self) {}
}
