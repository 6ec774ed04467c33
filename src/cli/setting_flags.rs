//! The flags of the settings table: one for each row.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::config::{Input, Setting, TrainRequest};
use crate::error::{Error, Result};

/// What was said of settings, in the order of the table: a preset comes before its parts.
#[derive(Default)]
pub struct SettingFlags(Vec<(&'static Setting, String)>);

impl SettingFlags {
    /// One flag: of the setting of that key.
    pub fn of(key: &str, text: String) -> Self {
        Self(
            Setting::find(key)
                .map(|setting| (setting, text))
                .into_iter()
                .collect(),
        )
    }

    /// Puts what was said over the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] if a text means no value, or one flag undoes another: `--crop none --crop-padding 0.1`.
    pub fn put_over(&self, request: &mut TrainRequest) -> Result<()> {
        for (setting, text) in &self.0 {
            setting.read(request, text)?;
        }
        // Its parts may change a preset.
        for (setting, text) in self.0.iter().filter(|(s, _)| s.key != "augment") {
            let mut again = request.clone();
            setting.read(&mut again, text)?;
            if again != *request {
                let reason = format!("“{text}” is undone by another flag");
                return Err(Error::setting(setting.name, reason));
            }
        }
        Ok(())
    }

    /// Whether anything was said of the setting of that key.
    pub fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(setting, _)| setting.key == key)
    }
}

fn flag(setting: &'static Setting) -> Arg {
    let name = setting.flag_name();
    let parse = move |text: &str| {
        let read = setting.read(&mut TrainRequest::default(), text);
        read.map(|()| text.to_owned())
            .map_err(|error| error.reason())
    };
    let value_name = name.to_uppercase().replace('-', "_");
    let arg = Arg::new(setting.key)
        .help(setting.help())
        .value_name(setting.value_name.map_or(value_name, str::to_owned))
        .allow_negative_numbers(true)
        .value_parser(parse);
    let arg = match (setting.group, setting.is_augment()) {
        ("", _) => arg,
        (group, true) => arg.help_heading(format!("Augmentation: {group}")),
        (group, false) => arg.help_heading(group),
    };
    // `--class-weights` alone puts it on, `--class-weights=false` takes it back.
    let arg = match setting.input() {
        Input::Switch => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        _ => arg,
    };
    let arg = if name == setting.word() {
        arg
    } else {
        arg.visible_alias(setting.word())
    };
    arg.long(name)
}

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        Setting::all().fold(command, |command, setting| command.arg(flag(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let said = |setting: &'static Setting| {
            let text = matches.get_one::<String>(setting.key)?;
            Some((setting, text.clone()))
        };
        Ok(Self(Setting::all().filter_map(said).collect()))
    }

    fn update_from_arg_matches(
        &mut self,
        matches: &ArgMatches,
    ) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::args::{Cli, Task};
    use crate::config::sample;

    /// The settings that a command line with these flags leads to, from some others.
    fn given(flags: &[&str], request: TrainRequest) -> TrainRequest {
        put_over(flags, request).expect("good values")
    }

    fn put_over(flags: &[&str], mut request: TrainRequest) -> Result<TrainRequest> {
        let line = ["retune", "train", "--out", "folder"];
        let cli = Cli::try_parse_from(line.iter().chain(flags)).expect("a good command line");
        let Task::Train(args) = cli.task else {
            panic!("another task");
        };
        args.settings.put_over(&mut request)?;
        Ok(request)
    }

    #[test]
    fn a_flag_is_what_is_typed() {
        for setting in Setting::all() {
            let (base, text) = sample(setting);
            let mut typed = base.clone();
            setting.read(&mut typed, &text).expect("a good value");
            assert_ne!(typed, base, "{}", setting.key);
            let flag = format!("--{}={text}", setting.flag_name());
            assert_eq!(given(&[&flag], base.clone()), typed, "{flag}");
            let flag = format!("--{}={text}", setting.word());
            assert_eq!(given(&[&flag], base), typed, "{flag}");
        }
    }

    #[test]
    fn the_help_has_every_flag_with_its_range() {
        let mut command = Cli::command();
        let train = command.find_subcommand_mut("train").expect("a task");
        let names = train
            .get_arguments()
            .filter_map(Arg::get_long_and_visible_aliases);
        let names: Vec<_> = names.flatten().collect();
        let different: BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        let help = train.render_long_help().to_string();
        let help: Vec<_> = help.split_whitespace().collect();
        let help = help.join(" ");
        for setting in Setting::all() {
            let flag = format!("--{}", setting.flag_name());
            let said = help.split(&format!("{flag} ")).nth(1);
            let said = said.or_else(|| help.split(&format!("{flag}[=")).nth(1));
            let said = said.unwrap_or_else(|| panic!("no {flag}"));
            let said = said.split(" --").next().unwrap_or_default();
            let given = match setting.input() {
                Input::Text => setting.hint(),
                Input::Words(words) => words[1].0.to_owned(),
                Input::Switch => continue,
            };
            assert!(said.contains(&given), "{flag}: {said}");
        }
        assert!(help.contains("--lr <LR> Learning rate, for the head (1e-7 to 1; default 0.001)"));
        assert!(help.contains("--train <WHAT>") && help.contains("--augment <PRESET>"));
    }

    #[test]
    fn parts_go_over_their_preset_and_a_switch_can_be_taken_back() {
        let default = TrainRequest::default;
        let given_both = given(&["--noise", "0.5", "--augment", "light"], default());
        let augment = given_both.config.augment;
        assert!(augment.noise == 0.5 && augment.crop.is_some());

        let weighted = given(&["--class-weights"], default());
        assert!(weighted.config.class_weights);
        assert_eq!(given(&["--class-weights=false"], weighted), default());

        let turned = given(&["--rotation-degrees", "15"], default());
        let rotation = turned.config.augment.rotation.expect("it is put on");
        assert_eq!(rotation.degrees, 15.0);

        let undone = put_over(
            &["--crop", "random", "--crop-scale-least", "0.5"],
            default(),
        );
        let error = undone.expect_err("two kinds of crop").to_string();
        assert!(error.starts_with("crop: "), "{error}");
    }
}
