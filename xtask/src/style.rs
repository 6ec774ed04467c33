//! The parts of the style sheet in www/style/, joined to the one sheet that the page asks for.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The parts that come first and the one that comes last, between which the others stand by name: where two rules
/// weigh the same, the later one wins.
const FIRST: [&str; 4] = ["base", "layout", "controls", "messages"];
const LAST: &str = "narrow";

/// The whole sheet, without comments.
///
/// # Errors
/// If the folder or a part cannot be read.
pub fn sheet(folder: &Path) -> Result<String> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("no folder {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let first = FIRST.iter().position(|part| *part == name);
        let order = (
            first.unwrap_or(FIRST.len()),
            name == LAST,
            name.into_owned(),
        );
        parts.push((order, path));
    }
    parts.sort();
    let mut sheet = String::new();
    for (_, path) in parts {
        let text = fs::read_to_string(&path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        let bare = without_comments(&text).with_context(|| path.display().to_string())?;
        sheet.push_str(&bare);
    }
    Ok(sheet)
}

/// The text without its comments and empty lines. No string in a part may hold a comment's beginning.
fn without_comments(text: &str) -> Result<String> {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        bare.push_str(before);
        let Some((_, after)) = comment.split_once("*/") else {
            bail!("a comment does not end");
        };
        rest = after;
    }
    bare.push_str(rest);
    let lines = bare.lines().filter(|line| !line.trim().is_empty());
    Ok(lines.flat_map(|line| [line, "\n"]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::root;

    #[test]
    fn the_parts_make_one_sheet_in_their_order() {
        let sheet = sheet(&root().join("www/style")).unwrap();
        let place = |rule: &str| sheet.find(rule).unwrap_or_else(|| panic!("no {rule}"));
        assert!(place(":root {") < place(".page {"));
        // What narrows the page comes after what it overrides.
        assert!(place("\nnav {") < place("@media (max-width: 44rem)"));
        assert_eq!(sheet.matches('{').count(), sheet.matches('}').count());
        assert!(!sheet.contains("/*"));
    }

    #[test]
    fn comments_go_and_rules_stay() {
        let text = "/* one */\n\na {\n  /* two\n     lines */\n  color: red;\n}\n";
        assert_eq!(without_comments(text).unwrap(), "a {\n  color: red;\n}\n");
        assert!(without_comments("a {} /* open").is_err());
    }

    #[test]
    fn what_nobody_ordered_stands_by_name_before_the_last() {
        let folder = std::env::temp_dir().join(format!("retune-style-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for part in ["narrow", "b", "layout", "a", "base"] {
            fs::write(folder.join(format!("{part}.css")), format!("{part} {{}}\n")).unwrap();
        }
        let sheet = sheet(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(sheet, "base {}\nlayout {}\na {}\nb {}\nnarrow {}\n");
    }
}
