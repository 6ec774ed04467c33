//! Downloads of a native process.

use std::io::Read;
use std::time::Duration;

use ureq::http::{Response, Uri, header};
use ureq::{Agent, Body};

use crate::error::{Error, Result};
use crate::platform::common::{Fetched, MAX_DOWNLOAD, Progress, too_large};

/// Answers that only say where to go on.
const MAX_REDIRECTS: usize = 5;
/// A server that is silent for this long is taken for gone.
const SILENCE: Duration = Duration::from_secs(60);
/// Read, and told to `progress`, at a time.
const CHUNK: usize = 256 << 10;

/// Downloads a file.
///
/// # Errors
/// [`Error::Storage`] with the address: unreachable, an answer other than 200 (its status is named), cut
/// short, over [`MAX_DOWNLOAD`]. [`Error::Cancelled`] if `progress` said so.
pub async fn get(url: &str, progress: &mut Progress<'_>) -> Result<Fetched> {
    let fail = |reason: String| Error::Storage(format!("{url}: {reason}"));
    let (response, linked_etag) = follow(url).map_err(fail)?;
    let status = response.status();
    if status.as_u16() != 200 {
        return Err(fail(format!("the server answered {status}")));
    }
    // A compressed answer's length is not that of the file.
    let encoded = response.headers().contains_key(header::CONTENT_ENCODING);
    let mut body = response.into_body();
    let total = body.content_length().filter(|_| !encoded).unwrap_or(0);
    if total > MAX_DOWNLOAD {
        return Err(too_large(url));
    }
    let mut bytes = Vec::with_capacity(total as usize);
    let mut reader = body.as_reader();
    loop {
        if progress(bytes.len() as u64, total).is_break() {
            return Err(Error::Cancelled);
        }
        let read = (&mut reader)
            .take(CHUNK as u64)
            .read_to_end(&mut bytes)
            .map_err(|e| fail(e.to_string()))?;
        if read == 0 {
            return Ok(Fetched { bytes, linked_etag });
        }
        if bytes.len() as u64 > MAX_DOWNLOAD {
            return Err(too_large(url));
        }
    }
}

/// Follows redirects by hand, because the hub's hash stands in the first answer's headers only.
fn follow(url: &str) -> std::result::Result<(Response<Body>, Option<String>), String> {
    let agent: Agent = Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_connect(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .build()
        .into();
    let mut at: Uri = url.parse().map_err(|e| format!("is no address: {e}"))?;
    let mut linked_etag = None;
    for _ in 0..=MAX_REDIRECTS {
        let response = agent.get(&at).call().map_err(|e| e.to_string())?;
        let text = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().ok()?.to_owned())
        };
        linked_etag = linked_etag.or_else(|| text("x-linked-etag"));
        match (response.status().is_redirection(), text("location")) {
            (true, Some(location)) => at = join(&at, &location)?,
            _ => return Ok((response, linked_etag)),
        }
    }
    Err(format!("more than {MAX_REDIRECTS} redirects"))
}

/// Where `location` leads from `at`: an address, or a path on the same server.
fn join(at: &Uri, location: &str) -> std::result::Result<Uri, String> {
    let absolute = match (location.starts_with('/'), at.scheme_str(), at.authority()) {
        (true, Some(scheme), Some(authority)) => format!("{scheme}://{authority}{location}"),
        _ => location.to_owned(),
    };
    absolute
        .parse()
        .map_err(|e| format!("redirects to {location}, which is no address: {e}"))
}
