//! A file that the page reads for the core, in pieces.

use std::ops::Range;

use biggan::file::ReadAt;
use biggan::{Error, Result};
use js_sys::{Function, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

/// A file of some bytes, and the page's function that reads some of them.
pub struct FileAt {
    pub bytes: usize,
    pub read: Function,
}

impl ReadAt for FileAt {
    fn length(&self) -> usize {
        self.bytes
    }

    fn read_at(&self, Range { start, end }: Range<usize>) -> Result<Vec<u8>> {
        let [from, to] = [start, end].map(|place| JsValue::from_f64(place as f64));
        let refused = |why: String| Error::file("the model").not_readable(why);
        let thrown = |value: JsValue| match value.dyn_into::<js_sys::Error>() {
            Ok(error) => refused(error.message().into()),
            Err(other) => refused(format!("{other:?}")),
        };
        let read = self
            .read
            .call2(&JsValue::NULL, &from, &to)
            .map_err(thrown)?;
        let bytes: Uint8Array = read
            .dyn_into()
            .map_err(|other| refused(format!("no bytes but {other:?}")))?;
        Ok(bytes.to_vec())
    }
}
