//! dist/ on http://localhost, with the headers a careful host would send. Also what the browser tests
//! and the bench talk to, so that they see what a developer sees.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::map_response_with_state;
use axum::response::Response;
use clap::Args;
use notify::{EventKind, RecursiveMode, Watcher};
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

use crate::build::{self, Profile};
use crate::compress::QUICK;
use crate::optimize::Goal;
use crate::project::root;

/// `cargo xtask serve`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Port on localhost.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Cargo profile of the wasm.
    #[arg(long, value_enum, default_value = "web")]
    profile: Profile,
    /// The same as `--profile web`, which is the default.
    #[arg(long, conflicts_with = "profile")]
    release: bool,
    /// Build again when a file changes.
    #[arg(long)]
    watch: bool,
}

/// Builds, then serves until it is interrupted.
///
/// # Errors
/// If the port is taken or the build fails.
pub fn serve(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    // Before the build: a port in use should be said at once, not after ten minutes.
    let listener = runtime.block_on(listen(options.port))?;
    let build_options = build::Options {
        profile: options.profile,
        out: root().join("dist"),
        engine_goal: Goal::Speed,
    };
    let dist = build::build(&build_options, QUICK)?.dist;
    if options.watch {
        std::thread::spawn(move || {
            if let Err(error) = watch(&build_options) {
                eprintln!("no longer watching: {error:#}");
            }
        });
    }
    let address = listener.local_addr()?;
    println!(
        "\nserving {} on http://localhost:{}/",
        dist.display(),
        address.port()
    );
    runtime.block_on(async { axum::serve(listener, router(&dist)).await })?;
    Ok(())
}

/// A socket that only this machine reaches; port 0 takes any free one.
///
/// # Errors
/// If the port is taken.
pub async fn listen(port: u16) -> Result<TcpListener> {
    match TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await {
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => {
            bail!("port {port} is in use; stop what listens there or choose another with --port")
        }
        other => other.with_context(|| format!("cannot listen on port {port}")),
    }
}

/// The files of dist/, their brotli twins where the browser takes them, and the headers.
pub fn router(dist: &Path) -> Router {
    Router::new()
        .fallback_service(ServeDir::new(dist).precompressed_br())
        .layer(map_response_with_state(dist.to_owned(), add_headers))
}

/// Headers of every answer. A static host may leave them all out: the page's own meta tag carries the
/// policy. Isolation (COOP, COEP) only buys finer timers for the measurements.
async fn add_headers(State(dist): State<PathBuf>, mut response: Response) -> Response {
    const FIXED: [(HeaderName, &str); 5] = [
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-embedder-policy"),
            "require-corp",
        ),
    ];
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Read anew for each answer: with --watch, index.html changes while this runs.
    let html = fs::read_to_string(dist.join("index.html")).unwrap_or_default();
    if let Some(policy) = policy(&html).and_then(|p| HeaderValue::from_str(&p).ok()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The Content-Security-Policy in the page's meta tag, on one line.
fn policy(html: &str) -> Option<String> {
    let (_, rest) = html.split_once("http-equiv=\"Content-Security-Policy\"")?;
    let (tag, _) = rest.split_once('>')?;
    let (_, content) = tag.split_once("content=\"")?;
    let (content, _) = content.split_once('"')?;
    Some(content.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Builds again after every change; a build that fails is shown and the old page stays.
fn watch(options: &build::Options) -> Result<()> {
    let (sender, changes) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|e| !matches!(e.kind, EventKind::Access(_))) {
            // Fails only when the receiving loop has ended, and then nobody watches any more.
            let _ = sender.send(());
        }
    })?;
    for (path, mode) in [
        ("src", RecursiveMode::Recursive),
        ("www", RecursiveMode::Recursive),
        ("index.html", RecursiveMode::NonRecursive),
        ("Cargo.toml", RecursiveMode::NonRecursive),
    ] {
        watcher.watch(&root().join(path), mode)?;
    }
    while changes.recv().is_ok() {
        // One save is several events, and a branch switch is hundreds: wait until it is quiet.
        while changes.recv_timeout(Duration::from_millis(300)).is_ok() {}
        match build::build(options, QUICK) {
            Ok(_) => println!("built; reload the page, which then offers the new version"),
            Err(error) => eprintln!("{error:#}"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_read_from_the_meta_tag() {
        let html = "<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\"\n  \
                    content=\"default-src 'none';\n    script-src 'self'\">\n<p title=\"x\">";
        assert_eq!(
            policy(html).unwrap(),
            "default-src 'none'; script-src 'self'"
        );
        assert_eq!(policy("<p>none here</p>"), None);
    }

    #[tokio::test]
    async fn wasm_comes_compressed_and_with_its_headers() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        let dist = std::env::temp_dir().join(format!("retune-serve-{}", std::process::id()));
        fs::create_dir_all(&dist).unwrap();
        let html = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'self'\">";
        fs::write(dist.join("index.html"), html).unwrap();
        fs::write(dist.join("page_bg.wasm"), "whole").unwrap();
        fs::write(dist.join("page_bg.wasm.br"), "packed").unwrap();
        let listener = listen(0).await.unwrap();
        let address = listener.local_addr().unwrap();
        let taken = listen(address.port()).await.unwrap_err().to_string();
        let app = router(&dist);
        tokio::spawn(async move { axum::serve(listener, app).await });

        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = "GET /page_bg.wasm HTTP/1.1\r\nhost: localhost\r\naccept-encoding: br\r\n\
                       connection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        fs::remove_dir_all(&dist).unwrap();

        assert!(taken.contains("in use"), "{taken}");
        assert!(answer.ends_with("packed"), "{answer}");
        for line in [
            "content-type: application/wasm",
            "content-encoding: br",
            "content-security-policy: default-src 'self'",
            "cache-control: no-cache",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-embedder-policy: require-corp",
        ] {
            assert!(
                answer.contains(&format!("{line}\r\n")),
                "no {line} in {answer}"
            );
        }
    }
}
