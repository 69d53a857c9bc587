//! The one error of the core crate.

use std::fmt;

use crate::visible::visible;

/// Which part of a call is at fault. Programs decide by it; people read the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A configuration that cannot describe a network or a run.
    Config,
    /// A model, checkpoint or other file that is not what it should be.
    File,
    /// A request (class, truncation, count, latents) outside of what the model offers.
    Request,
    /// A tensor that is missing, surplus, or of another shape or type.
    Tensor,
    /// The networks produced a value that is not finite.
    NotFinite,
    /// The memory there is does not suffice.
    Memory,
    /// The device could not execute or return a result.
    Device,
}

impl ErrorKind {
    /// The kind in one word, as programs in other languages get it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::File => "file",
            Self::Request => "request",
            Self::Tensor => "tensor",
            Self::NotFinite => "not-finite",
            Self::Memory => "memory",
            Self::Device => "device",
        }
    }
}

/// What an error says, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorFields {
    /// The thing at fault: a key of a config, a tensor, a file, a part of a request.
    pub name: String,
    /// Where the thing is: a file, a line, an archive's entry.
    pub place: Option<String>,
    /// The value that is there, or its state.
    pub found: Option<String>,
    /// What should be there.
    pub expected: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// What went wrong, as data: a kind, the name of the thing, what was found and expected, and the remedy.
///
/// Its message is made of them, always in one form: "name is found, expected expected; remedy".
///
/// ```
/// use biggan::{Error, ErrorKind};
///
/// let error = Error::config("batch_size").found(1).expected("2 or more").remedy("raise it");
/// assert_eq!(error.kind(), ErrorKind::Config);
/// assert_eq!(error.fields().found.as_deref(), Some("1"));
/// assert_eq!(error.to_string(), "batch_size is 1, expected 2 or more; raise it");
/// ```
// boxed: every `Result` of the crate carries it
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<(ErrorKind, ErrorFields)>);

/// Texts are made in one place, out of line: hundreds of calls would repeat the code.
macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident $kind:ident)*) => {
        impl Error {
            $($(#[$doc])*
            pub fn $name(name: impl fmt::Display) -> Self {
                Self::new(ErrorKind::$kind, &name)
            })*
        }
    };
}

constructors! {
    /// Of [`ErrorKind::Config`], about a key.
    config Config
    /// Of [`ErrorKind::File`], about a file or a part of it.
    file File
    /// Of [`ErrorKind::Request`], about a part of a request.
    request Request
    /// Of [`ErrorKind::Tensor`], about the tensor of a name.
    tensor Tensor
    /// Of [`ErrorKind::NotFinite`], about a value.
    not_finite NotFinite
    /// Of [`ErrorKind::Memory`], about what does not fit.
    memory Memory
    /// Of [`ErrorKind::Device`], about what the device was to do.
    device Device
}

impl Error {
    #[cold]
    #[inline(never)]
    fn new(kind: ErrorKind, name: &dyn fmt::Display) -> Self {
        let fields = ErrorFields {
            name: visible(&name.to_string()).into_owned(),
            place: None,
            found: None,
            expected: None,
            remedy: None,
        };
        Self(Box::new((kind, fields)))
    }

    #[cold]
    #[inline(never)]
    fn set(
        mut self,
        field: fn(&mut ErrorFields) -> &mut Option<String>,
        text: &dyn fmt::Display,
    ) -> Self {
        *field(&mut self.0.1) = Some(visible(&text.to_string()).into_owned());
        self
    }

    /// With the value that is there, or its state: what follows "is".
    pub fn found(self, found: impl fmt::Display) -> Self {
        self.set(|fields| &mut fields.found, &found)
    }

    /// That could not be read, and why.
    pub fn not_readable(self, why: impl fmt::Display) -> Self {
        self.found(format_args!("not readable: {why}"))
    }

    /// That could not be written, and why.
    pub fn not_writable(self, why: impl fmt::Display) -> Self {
        self.found(format_args!("not writable: {why}"))
    }

    /// With what should be there.
    pub fn expected(self, expected: impl fmt::Display) -> Self {
        self.set(|fields| &mut fields.expected, &expected)
    }

    /// With what to do.
    pub fn remedy(self, remedy: impl fmt::Display) -> Self {
        self.set(|fields| &mut fields.remedy, &remedy)
    }

    /// Of a thing within another: the outermost comes first.
    pub fn within(self, place: impl fmt::Display) -> Self {
        self.push_place(&place)
    }

    #[cold]
    #[inline(never)]
    fn push_place(mut self, place: &dyn fmt::Display) -> Self {
        let place = visible(&place.to_string()).into_owned();
        let place = match self.0.1.place {
            Some(inner) => format!("{place}: {inner}"),
            None => place,
        };
        self.0.1.place = Some(place);
        self
    }

    /// Which part of the call is at fault.
    pub fn kind(&self) -> ErrorKind {
        self.0.0
    }

    /// The parts of the message.
    pub fn fields(&self) -> &ErrorFields {
        &self.0.1
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ErrorFields {
            name,
            place,
            found,
            expected,
            remedy,
        } = self.fields();
        if let Some(place) = place {
            write!(f, "{place}: ")?;
        }
        if self.kind() == ErrorKind::Tensor {
            f.write_str("tensor ")?;
        }
        f.write_str(name)?;
        let expects = match found {
            Some(_) => ", expected ",
            None => " must be ",
        };
        for (before, text) in [(" is ", found), (expects, expected), ("; ", remedy)] {
            if let Some(text) = text {
                f.write_str(before)?;
                f.write_str(text)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.kind().name())
    }
}

impl std::error::Error for Error {}

/// Result with the crate's [`Error`].
pub type Result<T> = core::result::Result<T, Error>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_made_of_the_fields_that_there_are() {
        let named = || Error::request("class 12");
        assert_eq!(named().to_string(), "class 12");
        assert_eq!(
            named().found("out of range").to_string(),
            "class 12 is out of range"
        );
        assert_eq!(
            named().expected("0 to 9").to_string(),
            "class 12 must be 0 to 9"
        );
        let tensor = Error::tensor("linear.weight")
            .found("missing")
            .remedy("export again");
        let placed = tensor.clone().within("part 2").within("model.json");
        assert_eq!(
            tensor.to_string(),
            "tensor linear.weight is missing; export again"
        );
        assert_eq!(placed.to_string(), format!("model.json: part 2: {tensor}"));
        assert_eq!(placed.fields().place.as_deref(), Some("model.json: part 2"));
        assert_eq!(format!("{placed:?}"), format!("tensor: {placed}"));
    }

    #[test]
    fn what_comes_from_outside_cannot_act_on_a_terminal() {
        let error = Error::file("a\u{1b}[2J").found("b\nc").within("d\u{202e}");
        assert_eq!(error.to_string(), "d\\u202e: a\\u001b[2J is b\\nc");
    }

    #[test]
    fn a_result_without_a_value_is_one_word() {
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }
}
