//! Errors of the core as errors of JavaScript.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;

/// An `Error` with the core's message and, as properties, the kind and the fields: `kind`, `thing`, `place`,
/// `found`, `expected` and `remedy`, the last four where they are known.
#[derive(Debug)]
pub struct Thrown(JsValue);

impl From<biggan::Error> for Thrown {
    fn from(error: biggan::Error) -> Self {
        let thrown = JsValue::from(js_sys::Error::new(&error.to_string()));
        let fields = error.fields();
        for (key, text) in [
            ("kind", Some(error.kind().name())),
            ("thing", Some(fields.name.as_str())),
            ("place", fields.place.as_deref()),
            ("found", fields.found.as_deref()),
            ("expected", fields.expected.as_deref()),
            ("remedy", fields.remedy.as_deref()),
        ] {
            if let Some(text) = text {
                // cannot fail: the object is new and not frozen
                let _ = Reflect::set(&thrown, &key.into(), &text.into());
            }
        }
        Self(thrown)
    }
}

/// JSON that a page sent or would get.
impl From<serde_json::Error> for Thrown {
    fn from(error: serde_json::Error) -> Self {
        biggan::Error::request("JSON").not_readable(error).into()
    }
}

impl From<Thrown> for JsValue {
    fn from(thrown: Thrown) -> Self {
        thrown.0
    }
}
