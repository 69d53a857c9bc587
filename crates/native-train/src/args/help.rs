//! The help of the whole program: commands by what they are for.

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};

use super::Args;

/// Commands by what they are for.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Train", &["train", "watch", "report"]),
    (
        "Models",
        &[
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

/// Reads the command line; ends the process with help or a refusal where that is the answer.
pub fn parse() -> Args {
    let matches = command().try_get_matches();
    let parsed = matches.and_then(|matches| Args::from_arg_matches(&matches));
    parsed.unwrap_or_else(|error| match error.kind() {
        // one line, as every refusal of a value
        ErrorKind::ValueValidation => {
            eprintln!("{}", error.to_string().lines().next().unwrap_or_default());
            std::process::exit(error.exit_code())
        }
        _ => error.exit(),
    })
}

/// The program's command line. The options of training are those of `train`, whose help lists them; without a
/// command they mean the same.
fn command() -> clap::Command {
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
    command
        .mut_args(|arg| match arg.get_id().as_str() {
            "config" => arg,
            _ => arg.hide(true),
        })
        .help_template(format!(
            "{{about}}\n\nUsage: native-train --config <FILE> [OPTIONS]\n       native-train <COMMAND>\n\n\
             {groups}Options:\n{{options}}\n\nEvery command explains itself, training with all its options: native-train train --help{{after-help}}"
        ))
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
        let refused = parse(&["sample", "m", "--truncation", "half"]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ValueValidation);
        assert!(
            refused.to_string().contains("give for example 0.5"),
            "{refused}"
        );
    }
}
