//! `native-train reference`: mean and covariance of a data set in the features of a network, stored for
//! `evaluate --reference`.

use anyhow::{Result, ensure};
use biggan::collective::Group;
use biggan::metrics::{Input, Moments, Normal, Reference, ReferenceInfo};

use crate::args::ReferenceArgs;
use crate::dataset::{self, DatasetRequest, Split};
use crate::device;
use crate::environment::Environment;
use crate::error::{Outcome, bad_usage};
use crate::evaluation::{features, networks, remarks};
use crate::recipe::data_section::DataSection;
use crate::run::atomic_file;

/// Runs the command.
///
/// # Errors
/// If network or data cannot be read or do not match, or the file cannot be written.
pub fn run(args: &ReferenceArgs, environment: &Environment) -> Result<Outcome> {
    let device = device::open(args.device.name)?;
    let open = networks::open(&args.network, &device)?;
    let info = open.network.info();
    let own = open.classifier.as_ref().map(|info| &info.classifier);
    let resolution = match (args.resolution, info.input) {
        (Some(resolution), _) => resolution,
        (None, Input::Exactly(side)) => side,
        (None, Input::Bilinear(_)) => {
            return Err(bad_usage(
                "--resolution is missing: the side of the images as the models make them, e.g. 32",
            ));
        }
    };
    let classes = args.classes.or(own.map(|config| config.classes));
    let classes = classes.ok_or_else(|| {
        bad_usage("--classes is missing: the number of classes of the data set, e.g. 10")
    })?;
    open.check(resolution, classes)?;
    let section = DataSection {
        fit: args.square.fit,
        background: args.square.background,
        ..DataSection::named(&args.dataset, args.data.clone())
    };
    let request = DatasetRequest {
        section: &section,
        split: Split::Train,
        classes,
    };
    let data = dataset::load(&request, resolution, environment.data_home.as_deref())?;
    ensure!(
        data.len() > 1,
        "{} images; a covariance needs two",
        data.len()
    );
    let data_len = data.len();
    let mut moments = Moments::new(info.features);
    features::each(
        &data,
        &*open.network,
        resolution,
        &device,
        &Group::single(),
        |_, features| {
            moments.add(features);
        },
    )?;
    let reference = Reference {
        info: ReferenceInfo::new(info, resolution, data.info, "train", moments.count()),
        normal: Normal::from_moments(&moments),
    };
    let bytes = reference.encode()?;
    Reference::decode(&bytes)?;
    atomic_file::write(&args.out, &bytes)?;
    say!("{}: {}", args.out.display(), reference.info);
    if let Some(remark) = remarks::few_for_features(data_len, "real images", info.features, "give")
    {
        say!("note: {remark}");
    }
    Ok(Outcome::Done)
}
