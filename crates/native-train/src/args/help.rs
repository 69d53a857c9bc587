//! The help of the whole program: commands by what they are for.

use std::any::TypeId;
use std::process::ExitCode;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};

use super::{Args, outputs};
use crate::error::exit_code;
use crate::terminal;

/// Commands by what they are for.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Train", &["train", "watch", "report"]),
    (
        "Models",
        &[
            "fetch",
            "sample",
            "sheet",
            "export",
            "import",
            "inspect",
            "classes",
            "standing-stats",
        ],
    ),
    ("Data", &["data"]),
    ("Scores", &["evaluate", "reference", "classifier"]),
    ("Research", &["table1", "bench"]),
];

/// Reads the command line.
///
/// # Errors
/// The code to end with where help or a refusal is the answer, which is printed.
pub fn parse() -> Result<Args, ExitCode> {
    let matches = command().try_get_matches();
    let parsed = matches.and_then(|matches| Ok((Args::from_arg_matches(&matches)?, matches)));
    let (args, matches) = parsed.map_err(|error| {
        let text = error.render().to_string();
        match error.kind() {
            // one line, as every refusal of a value
            ErrorKind::ValueValidation => {
                terminal::note_line(text.lines().next().unwrap_or_default());
            }
            _ if error.use_stderr() => terminal::note_lines(&text),
            _ => terminal::say_text(&text),
        }
        match terminal::finish() {
            Ok(()) => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
            Err(_) => ExitCode::FAILURE,
        }
    })?;
    outputs::check(&matches).map_err(|error| {
        terminal::note_line(&format!("error: {error:#}"));
        exit_code(&error)
    })?;
    Ok(args)
}

/// The program's command line. The options of training are those of `train`, whose help lists them; without a
/// command they mean the same.
pub(super) fn command() -> clap::Command {
    let command = Args::command();
    let about: Vec<(String, String)> = command
        .get_subcommands()
        .map(|sub| {
            let about = sub.get_about().map(ToString::to_string);
            (sub.get_name().to_owned(), about.unwrap_or_default())
        })
        .collect();
    let mut groups = String::new();
    for (title, names) in GROUPS {
        groups += &format!("{title}:\n");
        for (name, about) in names
            .iter()
            .filter_map(|name| about.iter().find(|(n, _)| n == name))
        {
            groups += &format!("  {name:<15} {about}\n");
        }
        groups.push('\n');
    }
    numbers(command)
        .mut_args(|arg| match arg.get_id().as_str() {
            "config" => arg,
            _ => arg.hide(true),
        })
        .help_template(format!(
            "{{about}}\n\nUsage: native-train --config <FILE> [OPTIONS]\n       native-train <COMMAND>\n\n\
             {groups}Options:\n{{options}}\n\nEvery command explains itself, training with all its options: native-train train --help{{after-help}}"
        ))
}

/// A command in all of whose options numbers may be negative, so that the refusal is of the number and says its range.
fn numbers(command: clap::Command) -> clap::Command {
    let below: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    let command = below.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, numbers)
    });
    command.mut_args(|arg| {
        if !arg.get_action().takes_values() {
            return arg;
        }
        let parsed = arg.get_value_parser().type_id();
        let arg = arg.allow_negative_numbers(true);
        if parsed == TypeId::of::<u64>() {
            arg.value_parser(whole::<u64>)
        } else if parsed == TypeId::of::<usize>() {
            arg.value_parser(whole::<usize>)
        } else {
            arg
        }
    })
}

/// A whole number of a type, or the range that it has.
fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("it must be a whole number, 0 to {}", u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let mut grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| names.iter().copied())
            .collect();
        let command = command();
        let mut all: Vec<&str> = command
            .get_subcommands()
            .map(clap::Command::get_name)
            .collect();
        grouped.sort_unstable();
        all.sort_unstable();
        assert_eq!(grouped, all);
    }

    #[test]
    fn help_names_every_command_once_and_train_by_itself_lists_its_options() {
        let help = command().render_long_help().to_string();
        for (title, names) in GROUPS {
            assert!(help.contains(&format!("{title}:\n")), "{help}");
            for name in names {
                let line = format!("\n  {name} ");
                assert_eq!(help.matches(&line).count(), 1, "{name} in\n{help}");
            }
        }
        assert!(
            help.contains("--config <FILE>") && !help.contains("--step-timeout <"),
            "{help}"
        );
        let mut command = command();
        let train = command
            .find_subcommand_mut("train")
            .expect("train is a command");
        let help = train.render_long_help().to_string();
        assert!(
            help.contains("--step-timeout") && help.contains("--device"),
            "{help}"
        );
    }

    #[test]
    fn options_of_training_need_no_command() {
        let parse = |words: &[&str]| {
            let words = std::iter::once("native-train").chain(words.iter().copied());
            command()
                .try_get_matches_from(words)
                .and_then(|m| Args::from_arg_matches(&m))
        };
        let args = parse(&["--config", "a.toml", "--device", "wgpu:1", "--resume"]).unwrap();
        assert!(args.command.is_none() && args.train.resume);
        let same = parse(&[
            "train", "--config", "a.toml", "--device", "wgpu:1", "--resume",
        ])
        .unwrap();
        assert!(same.command.is_some());
        for (option, value, part) in [
            ("--seed", "-1", "0 to 18446744073709551615"),
            ("--count", "-3", "0 to 18446744073709551615"),
            ("--truncation", "-1", "-1"),
        ] {
            let refused = parse(&["sample", "m", option, value]).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ValueValidation, "{refused}");
            assert!(refused.to_string().contains(part), "{refused}");
        }
        assert!(parse(&["data", "check", "d", "--resolution", "-8"]).is_err());
        let set = parse(&["--config", "a.toml", "--set", "x=-1", "--set", "-1"]).unwrap();
        assert_eq!(set.train.set, ["x=-1", "-1"]);
        let refused = parse(&["sample", "m", "--truncation", "half"]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ValueValidation);
        assert!(
            refused.to_string().contains("give for example 0.5"),
            "{refused}"
        );
    }
}
