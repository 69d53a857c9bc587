//! Moving pictures: frames one after another into a GIF, an APNG or a folder of PNG files, which appear when the last
//! frame is there.

use std::cell::RefCell;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use biggan::image::Sheet;
use gif::{Encoder as GifEncoder, Frame, Repeat};

use super::sheet;
use crate::error::bad_usage;
use crate::run::atomic_file::Aside;

/// NeuQuant's trade of colours for time: 1 is best, 30 fastest (the crate `gif`).
const GIF_SPEED: i32 = 10;
/// GIF counts time in hundredths of a second, and browsers slow down what takes less than two.
const GIF_TICKS: u32 = 100;
const GIF_LEAST_TICKS: u32 = 2;

/// What a file of a moving picture is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// 256 colours a frame; shown everywhere.
    Gif,
    /// All colours; shown by browsers.
    Apng,
    /// A folder of `000000.png` and so on, for programs such as ffmpeg.
    Frames,
}

impl Format {
    /// That of a name.
    ///
    /// # Errors
    /// If its ending is of none.
    pub fn of(path: &Path) -> Result<Self> {
        let ending = path
            .extension()
            .map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("gif") => Ok(Self::Gif),
            Some("png" | "apng") => Ok(Self::Apng),
            None => Ok(Self::Frames),
            Some(_) => Err(bad_usage(format!(
                "{}: give {} (GIF), {} (APNG), or the name of a folder for frames",
                path.display(),
                path.with_extension("gif").display(),
                path.with_extension("png").display()
            ))),
        }
    }

    /// Whether it can play at a rate.
    ///
    /// # Errors
    /// If frames follow too fast for it.
    pub fn check_rate(self, per_second: u32) -> Result<()> {
        let most = GIF_TICKS / GIF_LEAST_TICKS;
        if self == Self::Gif && per_second > most {
            return Err(bad_usage(format!(
                "--fps {per_second}: a GIF has at most {most} frames a second; give fewer, or another ending"
            )));
        }
        Ok(())
    }
}

enum Target {
    Gif {
        encoder: GifEncoder<Shared>,
        ticks: u16,
        file: Shared,
    },
    Apng {
        writer: png::Writer<Shared>,
        file: Shared,
    },
    Frames {
        aside: tempfile::TempDir,
        count: usize,
    },
}

/// A file that its encoder, which keeps what it writes to, lets go at the end.
#[derive(Clone)]
struct Shared(Rc<RefCell<BufWriter<Aside>>>);

impl Shared {
    fn new(path: &Path) -> Result<Self> {
        Ok(Self(Rc::new(RefCell::new(BufWriter::new(Aside::new(
            path,
        )?)))))
    }

    fn commit(self, path: &Path) -> Result<()> {
        let file = Rc::into_inner(self.0)
            .context("an encoder ends before its file")?
            .into_inner();
        file.into_inner()
            .map_err(|error| error.into_error())?
            .commit(path)
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

/// A moving picture being written.
pub struct Moving {
    path: PathBuf,
    target: Target,
}

impl Moving {
    /// Begins one of so many frames of a size in pixels.
    ///
    /// # Errors
    /// If the size is too large for the format, or the place cannot be written.
    pub fn new(
        path: &Path,
        [width, height]: [usize; 2],
        frames: u32,
        per_second: u32,
    ) -> Result<Self> {
        let format = Format::of(path)?;
        let named = || format!("writing {}", path.display());
        let target = match format {
            Format::Gif => {
                let [Ok(w), Ok(h)] = [width, height].map(u16::try_from) else {
                    bail!(
                        "a GIF has at most 65535 pixels a side, and the frame is {width}x{height}"
                    );
                };
                let file = Shared::new(path)?;
                let mut encoder = GifEncoder::new(file.clone(), w, h, &[]).with_context(named)?;
                encoder.set_repeat(Repeat::Infinite).with_context(named)?;
                let ticks = ((GIF_TICKS + per_second / 2) / per_second).max(GIF_LEAST_TICKS);
                Target::Gif {
                    encoder,
                    ticks: ticks as u16,
                    file,
                }
            }
            Format::Apng => {
                let file = Shared::new(path)?;
                let mut encoder = png::Encoder::new(file.clone(), width as u32, height as u32);
                encoder.set_color(png::ColorType::Rgba);
                encoder.set_depth(png::BitDepth::Eight);
                encoder.set_animated(frames, 0).with_context(named)?;
                let delay = u16::try_from(per_second).with_context(named)?;
                encoder.set_frame_delay(1, delay).with_context(named)?;
                let writer = encoder.write_header().with_context(named)?;
                Target::Apng { writer, file }
            }
            Format::Frames => {
                let is_free = !path.exists()
                    || std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
                if !is_free {
                    return Err(bad_usage(format!(
                        "{} is not empty; give a new folder",
                        path.display()
                    )));
                }
                let parent = path
                    .parent()
                    .filter(|parent| !parent.as_os_str().is_empty());
                let aside = tempfile::Builder::new()
                    .prefix(".partial-")
                    .tempdir_in(parent.unwrap_or(Path::new(".")));
                Target::Frames {
                    aside: aside.with_context(named)?,
                    count: 0,
                }
            }
        };
        Ok(Self {
            path: path.to_owned(),
            target,
        })
    }

    /// Adds a frame.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn push(&mut self, frame: &Sheet) -> Result<()> {
        let named = || format!("writing {}", self.path.display());
        match &mut self.target {
            Target::Gif { encoder, ticks, .. } => {
                let mut rgba = frame.rgba.clone();
                let [width, height] = [frame.width, frame.height].map(|side| side as u16);
                let mut frame = Frame::from_rgba_speed(width, height, &mut rgba, GIF_SPEED);
                frame.delay = *ticks;
                encoder.write_frame(&frame).with_context(named)
            }
            Target::Apng { writer, .. } => writer.write_image_data(&frame.rgba).with_context(named),
            Target::Frames { aside, count } => {
                let path = aside.path().join(format!("{count:06}.png"));
                *count += 1;
                std::fs::write(path, sheet::to_png(frame)?).with_context(named)
            }
        }
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn finish(self) -> Result<()> {
        let path = self.path;
        let named = || format!("writing {}", path.display());
        match self.target {
            Target::Gif { encoder, file, .. } => {
                drop(encoder.into_inner().with_context(named)?);
                file.commit(&path).with_context(named)
            }
            Target::Apng { writer, file } => {
                writer.finish().with_context(named)?;
                file.commit(&path).with_context(named)
            }
            Target::Frames { aside, .. } => {
                if path.is_dir() {
                    std::fs::remove_dir(&path).with_context(named)?;
                }
                std::fs::rename(aside.keep(), &path).with_context(named)
            }
        }
    }
}
