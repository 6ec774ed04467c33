//! Downloads against a server on this machine that answers as the Hugging Face hub does: a redirect that
//! carries the file's hash, then the file.

#![cfg(feature = "data")]

use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::pin::pin;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use retune::config::Arch;
use retune::error::Error;
use retune::platform::{fetch, hash};
use retune::weights::hub;

/// Native futures of this crate never wait, so one look is enough.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a native future waited"),
    }
}

/// Status line, headers and body, sent as they stand.
struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn new(status: &str, headers: &[String], body: &[u8]) -> Self {
        let mut head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
        for header in headers {
            head += &format!("{header}\r\n");
        }
        Self {
            head: head + "\r\n",
            body: body.to_vec(),
        }
    }

    fn whole(body: &[u8]) -> Self {
        Self::new("200 OK", &[format!("content-length: {}", body.len())], body)
    }
}

/// A server that answers each path by `answer`, and counts the requests.
fn serve(answer: impl Fn(&str) -> Answer + Send + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            counter.fetch_add(1, Ordering::SeqCst);
            reply(stream, &answer);
        }
    });
    (base, requests)
}

fn reply(mut stream: TcpStream, answer: &impl Fn(&str) -> Answer) {
    let mut lines = BufReader::new(stream.try_clone().unwrap())
        .lines()
        .map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let answer = answer(request.split(' ').nth(1).unwrap_or_default());
    // A client that has heard enough may be gone; that is its right.
    let _ = stream.write_all(answer.head.as_bytes());
    let _ = stream.write_all(&answer.body);
}

fn get(url: &str) -> Result<retune::platform::Fetched, Error> {
    now(fetch::get(url, &mut |_, _| ControlFlow::Continue(())))
}

fn payload(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 31 % 251) as u8).collect()
}

#[test]
fn a_file_comes_whole_with_progress() {
    let (base, _) = serve(|_| Answer::whole(&payload(1_000_000)));
    let seen = Mutex::new(Vec::new());
    let fetched = now(fetch::get(&format!("{base}/f"), &mut |done, total| {
        seen.lock().unwrap().push((done, total));
        ControlFlow::Continue(())
    }));
    assert_eq!(fetched.unwrap().bytes, payload(1_000_000));
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.first(), Some(&(0, 1_000_000)));
    assert_eq!(seen.last(), Some(&(1_000_000, 1_000_000)));
    assert!(seen.len() > 3 && seen.is_sorted(), "{seen:?}");
}

#[test]
fn progress_can_cancel() {
    let (base, _) = serve(|_| Answer::whole(&payload(1_000_000)));
    let fetched = now(fetch::get(&format!("{base}/f"), &mut |done, _| {
        if done > 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }));
    assert_eq!(fetched, Err(Error::Cancelled));
}

#[test]
fn failures_name_the_address_and_the_status() {
    let (base, _) = serve(|path| match path {
        "/short" => Answer::new("200 OK", &["content-length: 100".into()], b"only this"),
        "/vast" => Answer::new("200 OK", &["content-length: 99999999999".into()], b""),
        "/round" => Answer::new("302 Found", &["location: /round".into()], b""),
        _ => Answer::new("404 Not Found", &["content-length: 0".into()], b""),
    });
    for (path, words) in [
        ("/gone", "404"),
        ("/short", ""),
        ("/vast", "MB"),
        ("/round", "redirects"),
    ] {
        let url = format!("{base}{path}");
        let error = get(&url).unwrap_err();
        assert!(matches!(error, Error::Storage(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(&url) && text.contains(words), "{text}");
    }
    // Nobody listens there once it is dropped.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert!(
        get(&format!("http://{free}/"))
            .unwrap_err()
            .to_string()
            .contains(&free.to_string())
    );
}

#[test]
fn sha256_is_sha256() {
    // FIPS 180-2, appendix B.1.
    assert_eq!(
        now(hash::sha256(b"abc")),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

/// Runs this test's body in a process with a cache folder of its own: the folder is taken from the
/// environment, and a process with threads must not change its own.
fn in_own_cache(test: &str, body: impl FnOnce()) {
    const MARK: &str = "RETUNE_TEST_CHILD";
    if std::env::var_os(MARK).is_some() {
        return body();
    }
    let folder = std::env::temp_dir().join(format!("retune-{test}-{}", std::process::id()));
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env(MARK, "1")
        .env("RETUNE_CACHE", &folder)
        .output()
        .unwrap();
    let _ = std::fs::remove_dir_all(&folder);
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

/// A hub with one file, whose hash stands in the redirect's header, in the pointer, or nowhere.
fn hub_like(
    header: Option<&str>,
    pointer: Option<&str>,
    body: Vec<u8>,
) -> (String, Arc<AtomicUsize>) {
    let (header, pointer) = (header.map(str::to_owned), pointer.map(str::to_owned));
    serve(move |path| match (path, &pointer) {
        ("/cdn", _) => Answer::whole(&body),
        (p, Some(hash)) if p.contains("/raw/main/") => Answer::whole(
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{hash}\nsize 9\n")
                .as_bytes(),
        ),
        (p, _) if p.contains("/resolve/main/") => {
            let mut headers = vec!["location: /cdn".to_owned(), "content-length: 0".to_owned()];
            headers.extend(
                header
                    .iter()
                    .map(|hash| format!("X-Linked-Etag: \"{hash}\"")),
            );
            Answer::new("302 Found", &headers, b"")
        }
        _ => Answer::new("404 Not Found", &["content-length: 0".into()], b""),
    })
}

fn download(base: &str) -> Result<hub::Downloaded, Error> {
    now(hub::download(Some(base), Arch::ResNet18, &mut |_, _| {
        ControlFlow::Continue(())
    }))
}

#[test]
fn a_download_is_compared_with_the_hubs_hash_and_kept() {
    in_own_cache("a_download_is_compared_with_the_hubs_hash_and_kept", || {
        let hash = now(hash::sha256(&payload(5000)));
        let (base, requests) = hub_like(Some(&hash), None, payload(5000));
        let first = download(&base).unwrap();
        assert_eq!((&first.bytes, &first.sha256), (&payload(5000), &hash));
        assert_eq!(first.warnings, [""; 0]);
        assert_eq!(requests.load(Ordering::SeqCst), 2);

        assert_eq!(download(&base).unwrap(), first);
        assert_eq!(
            requests.load(Ordering::SeqCst),
            2,
            "the second time asks nobody"
        );

        now(hub::forget(Some(&base), Arch::ResNet18)).unwrap();
        download(&base).unwrap();
        assert_eq!(requests.load(Ordering::SeqCst), 4);
    });
}

#[test]
fn a_download_with_another_hash_is_refused_and_not_kept() {
    in_own_cache(
        "a_download_with_another_hash_is_refused_and_not_kept",
        || {
            let hash = now(hash::sha256(b"something else"));
            for (header, pointer) in [(Some(hash.as_str()), None), (None, Some(hash.as_str()))] {
                let (base, _) = hub_like(header, pointer, payload(5000));
                for _ in 0..2 {
                    let text = download(&base).unwrap_err().to_string();
                    assert!(text.contains(&hash) && text.contains("resnet18"), "{text}");
                }
            }
        },
    );
}

#[test]
fn without_the_header_the_pointer_has_the_hash_and_without_both_it_is_said() {
    in_own_cache(
        "without_the_header_the_pointer_has_the_hash_and_without_both_it_is_said",
        || {
            let hash = now(hash::sha256(&payload(5000)));
            let (base, _) = hub_like(None, Some(&hash), payload(5000));
            assert_eq!(download(&base).unwrap().warnings, [""; 0]);

            let (base, _) = hub_like(None, None, payload(5000));
            let warnings = download(&base).unwrap().warnings;
            assert!(
                warnings.len() == 1 && warnings[0].contains("no hash"),
                "{warnings:?}"
            );
        },
    );
}
