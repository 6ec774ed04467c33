//! The test's own host: dist/ below a sub-path with the headers of `serve`, a stand-in for the Hugging
//! Face hub, and a proxy that answers nothing and remembers who was asked for.

use std::future::pending;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::extract::{Path as UrlPath, Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower_http::services::ServeDir;

use xtask::serve;

/// Where the page lies, to prove that it needs no root.
const SUB_PATH: &str = "/somewhere/below";

type Lines = Arc<Mutex<Vec<String>>>;

/// A running host.
pub struct Host {
    /// The page's address, with a slash at its end.
    pub url: String,
    /// host:port of the proxy.
    pub proxy: String,
    asked: Lines,
    failed: Lines,
    foreign: Lines,
}

impl Host {
    /// Serves dist/ and, as every repository's `model.safetensors`, this checkpoint.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(dist: &Path, checkpoint: Vec<u8>) -> Result<Self> {
        let (asked, failed) = (Lines::default(), Lines::default());
        let hub = Arc::new(Hub::new(checkpoint));
        let site = Router::new()
            .route(
                "/hub/{owner}/{name}/resolve/main/model.safetensors",
                get(resolve),
            )
            .route(
                "/hub/{owner}/{name}/raw/main/model.safetensors",
                get(pointer),
            )
            .route("/hub/storage/{hash}", get(stored))
            .route(
                "/damaged/{owner}/{name}/resolve/main/model.safetensors",
                get(damaged),
            )
            .with_state(hub)
            .fallback_service(serve::router(dist));
        let app = Router::new()
            .nest_service(SUB_PATH, site)
            .layer(from_fn_with_state(failed.clone(), remember_failures))
            .layer(from_fn_with_state(asked.clone(), remember));
        let listener = serve::listen(0).await?;
        let url = format!(
            "http://localhost:{}{SUB_PATH}/",
            listener.local_addr()?.port()
        );
        tokio::spawn(async move { axum::serve(listener, app).await });

        let foreign = Lines::default();
        let listener = serve::listen(0).await?;
        let proxy = listener.local_addr()?.to_string();
        tokio::spawn(trap(listener, foreign.clone()));
        Ok(Self {
            url,
            proxy,
            asked,
            failed,
            foreign,
        })
    }

    /// Serves another folder at an address of its own, with no headers that matter.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn serve(&self, folder: &Path) -> Result<String> {
        listening(self.plain(folder), pending()).await
    }

    /// The same until it is stopped by what is sent through the second value.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn serve_until(&self, folder: &Path) -> Result<(String, oneshot::Sender<()>)> {
        let (stop, stopped) = oneshot::channel();
        // Connections that are kept open end with it too.
        let stopped = async { stopped.await.unwrap_or_default() };
        let url = listening(self.plain(folder), stopped).await?;
        Ok((url, stop))
    }

    fn plain(&self, folder: &Path) -> Router {
        let failed = from_fn_with_state(self.failed.clone(), remember_failures);
        Router::new()
            .fallback_service(ServeDir::new(folder))
            .layer(failed)
    }

    /// Serves another folder that holds the page, with its headers.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn serve_page(&self, folder: &Path) -> Result<String> {
        let app = serve::router(folder)
            .layer(from_fn_with_state(self.failed.clone(), remember_failures))
            .layer(from_fn_with_state(self.asked.clone(), remember));
        listening(app, pending()).await
    }

    /// Paths of the page that were asked for since the last call.
    pub fn take_asked(&self) -> Vec<String> {
        take(&self.asked)
    }

    /// Requests answered with an error since the last call.
    pub fn take_failed(&self) -> Vec<String> {
        take(&self.failed)
    }

    /// Requests for other hosts since the last call, without those that a browser makes of itself.
    pub fn take_foreign(&self) -> Vec<String> {
        const BROWSERS_OWN: [&str; 7] = [
            "duckduckgo.com",
            "google.com",
            "googleapis.com",
            "gstatic.com",
            "gvt1.com",
            "firefox.com",
            "mozilla.",
        ];
        let mut lines = take(&self.foreign);
        lines.retain(|line| !BROWSERS_OWN.iter().any(|host| line.contains(host)));
        lines
    }
}

fn take(lines: &Lines) -> Vec<String> {
    std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner))
}

fn push(lines: &Lines, line: String) {
    lines
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(line);
}

/// Serves on a free port until `stopped`; the address.
async fn listening(
    app: Router,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<String> {
    let listener = serve::listen(0).await?;
    let url = format!("http://localhost:{}/", listener.local_addr()?.port());
    tokio::spawn(async move {
        axum::serve(listener, app)
            .with_graceful_shutdown(stopped)
            .await
    });
    Ok(url)
}

async fn remember(State(asked): State<Lines>, request: Request, next: Next) -> Response {
    push(&asked, request.uri().path().to_owned());
    next.run(request).await
}

async fn remember_failures(State(failed): State<Lines>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    if response.status().is_client_error() || response.status().is_server_error() {
        push(&failed, format!("{} {path}", response.status().as_u16()));
    }
    response
}

/// A proxy that hangs up on everybody.
async fn trap(listener: TcpListener, foreign: Lines) {
    while let Ok((stream, _)) = listener.accept().await {
        let mut line = String::new();
        // Nothing but a connection is Chromium keeping one ready: whoever asks for something says what.
        let read = BufReader::new(stream).read_line(&mut line).await;
        if read.is_ok_and(|bytes| bytes > 0) {
            push(&foreign, line.trim().to_owned());
        }
    }
}

/// The hub's answers for one file: a redirect with the hash in a header that the browser cannot see, a
/// Git LFS pointer with the same hash, and the bytes.
struct Hub {
    checkpoint: Vec<u8>,
    hash: String,
}

impl Hub {
    fn new(checkpoint: Vec<u8>) -> Self {
        let hash = Sha256::digest(&checkpoint)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        Self { checkpoint, hash }
    }
}

const LINKED_ETAG: HeaderName = HeaderName::from_static("x-linked-etag");

async fn resolve(State(hub): State<Arc<Hub>>) -> impl IntoResponse {
    let to = format!("{SUB_PATH}/hub/storage/{}", hub.hash);
    let etag = format!("\"{}\"", hub.hash);
    (
        StatusCode::FOUND,
        [(header::LOCATION, to), (LINKED_ETAG, etag)],
    )
}

async fn stored(State(hub): State<Arc<Hub>>, UrlPath(_hash): UrlPath<String>) -> impl IntoResponse {
    hub.checkpoint.clone()
}

async fn pointer(State(hub): State<Arc<Hub>>) -> impl IntoResponse {
    format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n",
        hub.hash,
        hub.checkpoint.len()
    )
}

/// The bytes with the hash of others.
async fn damaged(State(hub): State<Arc<Hub>>) -> impl IntoResponse {
    (
        [(LINKED_ETAG, format!("\"{}\"", "0".repeat(64)))],
        hub.checkpoint.clone(),
    )
}
