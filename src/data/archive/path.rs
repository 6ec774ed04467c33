//! Paths as archives state them, made ones that begin in the archive. Nothing is ever unpacked to a disk, so a
//! path can do no harm: what leads to a drive or a folder above is taken off, as `unzip` does.

/// A path below the archive's root, with `/` between its parts; the reason and the
/// path as it was if there is none.
pub(super) fn below_root(path: String) -> Result<String, (&'static str, String)> {
    if path.contains('\0') {
        return Err(("has a path with a zero byte", path));
    }
    let usual = path
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != "..");
    if usual && path.as_bytes().get(1) != Some(&b':') {
        return Ok(path);
    }
    // Windows' prefix for long paths is "\\?\".
    let mut rest = path.trim_start_matches('/');
    rest = rest.strip_prefix("?/").unwrap_or(rest);
    if let [letter, b':', ..] = rest.as_bytes()
        && letter.is_ascii_alphabetic()
    {
        rest = &rest[2..];
    }
    let mut parts: Vec<&str> = Vec::new();
    let mut inside = false;
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_some() || !inside => {}
            ".." => {
                return Err(("has a path that leads out of the archive (..)", path));
            }
            name => {
                parts.push(name);
                inside = true;
            }
        }
    }
    if parts.is_empty() {
        return Err(("has no name", path));
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::below_root;

    #[test]
    fn what_leads_out_is_taken_off_or_refused() {
        for (path, below) in [
            ("set/cat/1.jpg", "set/cat/1.jpg"),
            ("/home/me/set/1.jpg", "home/me/set/1.jpg"),
            ("//server/share/1.jpg", "server/share/1.jpg"),
            ("C:/Users/me/1.jpg", "Users/me/1.jpg"),
            ("c:1.jpg", "1.jpg"),
            ("//?/D:/set/1.jpg", "set/1.jpg"),
            ("../../set/1.jpg", "set/1.jpg"),
            ("./set//./1.jpg", "set/1.jpg"),
            ("set/cat/../dog/1.jpg", "set/dog/1.jpg"),
            // No drive: it has no letter.
            ("1:2/1.jpg", "1:2/1.jpg"),
        ] {
            assert_eq!(below_root(path.into()), Ok(below.into()), "{path}");
        }
        assert!(below_root("a/../../up.jpg".into()).is_err_and(|e| e.0.contains("..")));
        assert!(below_root("a\0b".into()).is_err_and(|e| e.0.contains("zero")));
        assert!(below_root("../".into()).is_err());
    }
}
