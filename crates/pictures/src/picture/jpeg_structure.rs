//! The segments and scans of a JPEG (ITU-T T.81): what its header says, and whether its data are all there.
//!
//! The decoder fills what is missing with grey and says nothing, and the end marker tells nothing either: that of an embedded
//! thumbnail comes before the data, videos and panoramas follow it, and some cameras leave it out. So the units (MCUs) of
//! every scan are counted, by reading their codes.

use anyhow::{Result, bail, ensure};

use super::jpeg_huffman::{Bits, Codes, Stop};
use super::raw::check_sides;

/// Most scans, as the decoder has it: each costs a pass over all units, however few bytes it has.
const MAX_SCANS: usize = 100;
/// A coefficient that no scan has had yet.
const NONE: u8 = u8::MAX;

/// What a file says, all of whose data are there.
#[derive(Debug)]
pub struct Structure<'a> {
    /// Pixels per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1, 3 or 4.
    pub components: usize,
    /// The data of the first Exif segment.
    pub exif: Option<&'a [u8]>,
    /// The colour profile.
    pub icc: Vec<u8>,
    /// Where the picture ends, if it does so without an end marker.
    pub unmarked_end: Option<usize>,
}

#[derive(Debug, Default)]
struct Frame {
    progressive: bool,
    width: usize,
    height: usize,
    components: Vec<Component>,
}

#[derive(Debug)]
struct Component {
    id: u8,
    /// Blocks of a unit in each direction.
    sampling: [usize; 2],
    /// Blocks of a row, and rows of blocks, alone in a scan.
    blocks: [usize; 2],
    /// Blocks of a row where units are of all components.
    stride: usize,
    /// By coefficient: bits that are still missing, or [`NONE`].
    missing_bits: [u8; 64],
    /// Of progressive frames, by block: the coefficients that are not 0.
    known: Vec<u64>,
}

struct Reader<'a> {
    file: &'a [u8],
    at: usize,
    frame: Option<Frame>,
    dc: [Option<Codes>; 4],
    ac: [Option<Codes>; 4],
    restart_interval: usize,
    exif: Option<&'a [u8]>,
    icc: Vec<&'a [u8]>,
}

/// Reads a file from its first marker on.
///
/// # Errors
/// If data are missing or damaged, a side is too long, or it is of a process that is not read.
pub fn read(file: &[u8]) -> Result<Structure<'_>> {
    let mut reader = Reader::new(file);
    let unmarked_end = reader.segments()?;
    let frame = reader.frame.unwrap_or_default();
    reader.icc.sort_by_key(|part| part[0]);
    Ok(Structure {
        width: frame.width,
        height: frame.height,
        components: frame.components.len(),
        exif: reader.exif,
        icc: reader
            .icc
            .iter()
            .flat_map(|part| &part[2..])
            .copied()
            .collect(),
        unmarked_end,
    })
}

/// Width and height by the frame header.
///
/// # Errors
/// If there is none before the pixels.
pub fn sides(file: &[u8]) -> Result<[usize; 2]> {
    let mut reader = Reader::new(file);
    while let Some(marker) = reader.marker() {
        match marker {
            0x01 | 0xd0..=0xd8 => {}
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let data = reader.segment()?;
                let Some([_, h1, h2, w1, w2]) = data.first_chunk() else {
                    bail!("damaged: its frame header is too short");
                };
                return Ok([[*w1, *w2], [*h1, *h2]].map(|b| usize::from(u16::from_be_bytes(b))));
            }
            0xd9 | 0xda => break,
            _ => {
                reader.segment()?;
            }
        }
    }
    bail!("truncated: {}", reader.lacks())
}

impl<'a> Reader<'a> {
    fn new(file: &'a [u8]) -> Self {
        Self {
            file,
            at: 2,
            frame: None,
            dc: Default::default(),
            ac: Default::default(),
            restart_interval: 0,
            exif: None,
            icc: Vec::new(),
        }
    }

    /// Goes through all segments until everything is there, then looks for the end marker.
    fn segments(&mut self) -> Result<Option<usize>> {
        let (mut complete, mut scans) = (None, 0);
        loop {
            let marker = self.marker();
            if let Some(end) = complete {
                // whatever follows the data, only an end marker is of them
                return Ok((marker != Some(0xd9)).then_some(end));
            }
            match marker {
                Some(0xd9) if self.frame.as_ref().is_some_and(Frame::has_all_components) => {
                    return Ok(None); // a progressive file that its writer left coarse
                }
                None | Some(0xd9) => bail!("truncated: {}", self.lacks()),
                Some(0x01 | 0xd0..=0xd8) => {}
                Some(marker) => {
                    let data = self.segment()?;
                    match marker {
                        0xc0..=0xc2 => self.frame(marker, data)?,
                        0xc3 => bail!("a lossless JPEG, which is not read; {CONVERT}"),
                        0xc9..=0xcb => {
                            bail!("a JPEG of arithmetic coding, which is not read; {CONVERT}")
                        }
                        0xc5..=0xc7 | 0xcd..=0xcf => {
                            bail!("a hierarchical JPEG, which is not read; {CONVERT}")
                        }
                        0xf7 => bail!("a JPEG-LS, which is not read; {CONVERT}"),
                        0xc4 => self.codes(data)?,
                        0xdd => {
                            self.restart_interval = data
                                .first_chunk()
                                .map_or(0, |b| u16::from_be_bytes(*b).into())
                        }
                        // of several Exif segments the first counts, as in browsers
                        0xe1 if scans == 0 => {
                            self.exif = self.exif.or_else(|| data.strip_prefix(b"Exif\0")?.get(1..))
                        }
                        0xe2 => self.icc.extend(
                            data.strip_prefix(b"ICC_PROFILE\0")
                                .filter(|part| part.len() > 2),
                        ),
                        0xda => {
                            scans += 1;
                            ensure!(
                                scans <= MAX_SCANS,
                                "damaged: it has more than {MAX_SCANS} scans"
                            );
                            self.scan(data)?;
                            if self.frame.as_ref().is_some_and(Frame::is_complete) {
                                complete = Some(self.at);
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    fn lacks(&self) -> &'static str {
        match &self.frame {
            None => "it ends before its size",
            Some(frame) if frame.components.iter().all(Component::is_new) => {
                "it ends before its pixels"
            }
            Some(_) => "it ends before its last scan",
        }
    }

    /// The next marker; bytes before it are passed over.
    fn marker(&mut self) -> Option<u8> {
        loop {
            let start = self.file.get(self.at..)?;
            self.at += start.iter().position(|&byte| byte == 0xff)?;
            match self.file.get(self.at + 1)? {
                0xff => self.at += 1,
                0 => self.at += 2,
                marker => {
                    self.at += 2;
                    return Some(*marker);
                }
            }
        }
    }

    fn segment(&mut self) -> Result<&'a [u8]> {
        let length = self.file.get(self.at..).and_then(|rest| rest.first_chunk());
        let length = length.map_or(0, |bytes| usize::from(u16::from_be_bytes(*bytes)));
        let data = self.file.get(self.at + 2..self.at + length);
        let Some(data) = data else {
            bail!("truncated: {}", self.lacks());
        };
        self.at += length;
        Ok(data)
    }

    fn frame(&mut self, marker: u8, data: &[u8]) -> Result<()> {
        let [precision, h1, h2, w1, w2, count, components @ ..] = data else {
            bail!("damaged: its frame header is too short");
        };
        ensure!(
            *precision == 8,
            "a JPEG of {precision} bits, of which only 8 are read; {CONVERT}"
        );
        let [width, height] = [[*w1, *w2], [*h1, *h2]].map(|b| usize::from(u16::from_be_bytes(b)));
        check_sides(width, height)?;
        ensure!(self.frame.is_none(), "damaged: it has two frame headers");
        let components = components.as_chunks::<3>().0;
        ensure!(
            components.len() == usize::from(*count) && [1, 3, 4].contains(count),
            "damaged: a frame header of {count} components"
        );
        let sampling = |packed: u8| [packed >> 4, packed & 15].map(usize::from);
        let most = |axis: usize| {
            components
                .iter()
                .map(|c| sampling(c[1])[axis])
                .max()
                .unwrap_or(1)
        };
        let (across, down) = (most(0), most(1));
        ensure!(
            components
                .iter()
                .all(|c| sampling(c[1]).iter().all(|s| (1..=4).contains(s))),
            "damaged: its sampling is not 1 to 4"
        );
        let progressive = marker == 0xc2;
        let component = |&[id, packed, _]: &[u8; 3]| {
            let [h, v] = sampling(packed);
            let stride = width.div_ceil(8 * across) * h;
            let rows = height.div_ceil(8 * down) * v;
            Component {
                id,
                sampling: [h, v],
                blocks: [
                    (width * h).div_ceil(across).div_ceil(8),
                    (height * v).div_ceil(down).div_ceil(8),
                ],
                stride,
                missing_bits: [NONE; 64],
                known: if progressive {
                    vec![0; stride * rows]
                } else {
                    Vec::new()
                },
            }
        };
        self.frame = Some(Frame {
            progressive,
            width,
            height,
            components: components.iter().map(component).collect(),
        });
        Ok(())
    }

    fn codes(&mut self, mut data: &[u8]) -> Result<()> {
        while let [head, rest @ ..] = data {
            let Some((counts, rest)) = rest.split_first_chunk::<16>() else {
                bail!("damaged: a table of codes is too short");
            };
            let meanings = counts.iter().map(|&count| usize::from(count)).sum();
            let codes = rest
                .get(..meanings)
                .and_then(|meanings| Codes::new(counts, meanings));
            ensure!(
                codes.is_some() && head & 15 < 4,
                "damaged: a table of codes is not one"
            );
            let tables = if head >> 4 == 0 {
                &mut self.dc
            } else {
                &mut self.ac
            };
            tables[usize::from(head & 15)] = codes;
            data = &rest[meanings..];
        }
        Ok(())
    }

    /// Reads all units of a scan.
    fn scan(&mut self, data: &[u8]) -> Result<()> {
        let Some(frame) = &mut self.frame else {
            bail!("damaged: pixels before their size");
        };
        let [count, rest @ ..] = data else {
            bail!("damaged: its scan header is too short");
        };
        let (chosen, rest) = rest
            .split_at_checked(2 * usize::from(*count))
            .unwrap_or_default();
        let [first, last, bits, ..] = rest else {
            bail!("damaged: its scan header is too short");
        };
        let mut parts = Vec::new();
        for &[id, tables] in chosen.as_chunks::<2>().0 {
            let place = frame
                .components
                .iter()
                .position(|component| component.id == id);
            let Some(place) = place else {
                bail!("damaged: a scan of a component that it does not have");
            };
            parts.push((
                place,
                [tables >> 4, tables & 15].map(|table| usize::from(table & 3)),
            ));
        }
        ensure!(
            (1..=4).contains(&parts.len()),
            "damaged: a scan of {} components",
            parts.len()
        );
        let kind = match frame.progressive {
            false => Scan {
                first: 0,
                last: 63,
                refines: false,
                missing: 0,
                sequential: true,
            },
            true => Scan {
                first: usize::from(*first).min(63),
                last: usize::from(*last).min(63),
                refines: bits >> 4 != 0,
                missing: bits & 15,
                sequential: false,
            },
        };
        let mut bits = Bits::new(self.file, self.at);
        let mut state = State {
            bits: &mut bits,
            dc: &self.dc,
            ac: &self.ac,
            band: 0,
        };
        let read = frame.units(&mut state, &kind, &parts, self.restart_interval);
        self.at = bits.end();
        if let Err((stop, row)) = read {
            let rows = frame.height;
            match stop {
                Stop::End => bail!("truncated: its data end at row {row} of {rows}"),
                Stop::Impossible => {
                    bail!("damaged: its data cannot be decoded from row {row} of {rows} on")
                }
            }
        }
        for (place, _) in parts {
            frame.components[place].missing_bits[kind.first..=kind.last.max(kind.first)]
                .fill(kind.missing);
        }
        Ok(())
    }
}

const CONVERT: &str = "convert it to a JPEG of 8 bits, or to PNG";

/// What a scan has of each block.
struct Scan {
    first: usize,
    last: usize,
    refines: bool,
    /// Bits that later scans have.
    missing: u8,
    sequential: bool,
}

struct State<'a, 'b> {
    bits: &'b mut Bits<'a>,
    dc: &'b [Option<Codes>; 4],
    ac: &'b [Option<Codes>; 4],
    /// Blocks left of a run in which nothing new comes.
    band: u32,
}

impl Frame {
    /// Whether each component has had all its scans.
    fn is_complete(&self) -> bool {
        self.components
            .iter()
            .all(|component| component.missing_bits == [0; 64])
    }

    /// Whether each component has had a scan.
    fn has_all_components(&self) -> bool {
        !self.components.iter().any(Component::is_new)
    }

    /// Reads the units of a scan; at a fault, returns the row of pixels too.
    fn units(
        &mut self,
        state: &mut State<'_, '_>,
        scan: &Scan,
        parts: &[(usize, [usize; 2])],
        restart_interval: usize,
    ) -> Result<(), (Stop, usize)> {
        let most = |axis: usize| {
            self.components
                .iter()
                .map(|c| c.sampling[axis])
                .max()
                .unwrap_or(1)
        };
        let (across, down) = (most(0), most(1));
        // a component alone is read block by block
        let alone = parts.len() == 1;
        let ([columns, rows], unit_rows) = if alone {
            let component = &self.components[parts[0].0];
            (component.blocks, 8 * down / component.sampling[1])
        } else {
            (
                [
                    self.width.div_ceil(8 * across),
                    self.height.div_ceil(8 * down),
                ],
                8 * down,
            )
        };
        let units = columns * rows;
        let mut unit = 0;
        while unit < units {
            if restart_interval > 0 && unit > 0 && unit % restart_interval == 0 {
                state.band = 0;
                if !state.bits.restart() {
                    return Err((Stop::End, unit / columns * unit_rows));
                }
            }
            let place = [unit % columns, unit / columns];
            match self.unit(state, scan, parts, place) {
                Ok(()) => unit += 1,
                // units lost before a restart: the decoder goes on there
                Err(Stop::End) if restart_interval > 0 && state.bits.at_restart() => {
                    unit = (unit / restart_interval + 1) * restart_interval;
                }
                Err(stop) => return Err((stop, place[1] * unit_rows)),
            }
        }
        Ok(())
    }

    fn unit(
        &mut self,
        state: &mut State<'_, '_>,
        scan: &Scan,
        parts: &[(usize, [usize; 2])],
        [x, y]: [usize; 2],
    ) -> Result<(), Stop> {
        for &(place, tables) in parts {
            let component = &mut self.components[place];
            let [across, down] = if parts.len() == 1 {
                [1, 1]
            } else {
                component.sampling
            };
            for row in 0..down {
                for column in 0..across {
                    let index = (y * down + row) * component.stride + x * across + column;
                    let mut none = 0;
                    let known = component.known.get_mut(index).unwrap_or(&mut none);
                    state.block(scan, tables, known)?;
                }
            }
        }
        Ok(())
    }
}

impl Component {
    fn is_new(&self) -> bool {
        self.missing_bits == [NONE; 64]
    }
}

impl State<'_, '_> {
    /// Reads what a scan has of a block (F.2.2, G.1.2); `known` are its coefficients that are not 0.
    fn block(&mut self, scan: &Scan, [dc, ac]: [usize; 2], known: &mut u64) -> Result<(), Stop> {
        let mut k = scan.first;
        if k == 0 {
            if scan.refines {
                self.bits.take(1)?;
            } else {
                let size = self
                    .bits
                    .code(self.dc[dc].as_ref().ok_or(Stop::Impossible)?)?;
                self.bits.take(u32::from(size).min(16))?;
            }
            if !scan.sequential {
                return Ok(());
            }
            k = 1;
        }
        let table = self.ac[ac].as_ref().ok_or(Stop::Impossible)?;
        if scan.refines {
            return self.refine(scan, k, table, known);
        }
        if self.band > 0 {
            self.band -= 1;
            return Ok(());
        }
        while k <= scan.last {
            let code = self.bits.code(table)?;
            let (zeros, size) = (usize::from(code >> 4), u32::from(code & 15));
            if size == 0 && zeros < 15 {
                if !scan.sequential {
                    self.band = (1 << zeros) - 1 + self.bits.take(zeros as u32)?;
                }
                return Ok(());
            }
            k += zeros;
            if size > 0 {
                self.bits.take(size)?;
                *known |= 1u64.checked_shl(k as u32).unwrap_or(0);
            }
            k += 1;
        }
        Ok(())
    }

    /// A further bit of coefficients that are not 0, and new ones between them (G.1.2.3).
    fn refine(
        &mut self,
        scan: &Scan,
        mut k: usize,
        table: &Codes,
        known: &mut u64,
    ) -> Result<(), Stop> {
        while self.band == 0 && k <= scan.last {
            let code = self.bits.code(table)?;
            let (mut zeros, size) = (usize::from(code >> 4), code & 15);
            if size == 0 && zeros < 15 {
                self.band = (1 << zeros) + self.bits.take(zeros as u32)?;
                break;
            }
            if size > 0 {
                self.bits.take(1)?; // the sign of the new one
            }
            while k <= scan.last {
                if *known >> k & 1 == 1 {
                    self.bits.take(1)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                k += 1;
            }
            if size > 0 && k <= scan.last {
                *known |= 1 << k;
            }
            k += 1;
        }
        if self.band > 0 {
            for k in k..=scan.last {
                if *known >> k & 1 == 1 {
                    self.bits.take(1)?;
                }
            }
            self.band -= 1;
        }
        Ok(())
    }
}
