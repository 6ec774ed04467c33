//! Files as the browser hands them over: lists of a picker, folders of a drop, blobs of the worker.
//!
//! A folder may hold twenty thousand files. Reading its list in one go would freeze the page, so it
//! is read in slices, and between slices the page breathes.

use gloo_timers::{callback::Timeout, future::TimeoutFuture};
use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, DataTransfer, File, FilePropertyBag, FileSystemDirectoryEntry,
    FileSystemEntry, FileSystemFileEntry, HtmlAnchorElement, Url,
};

use super::{intake::Found, timing};
use crate::protocol::Skipped;

/// Longest stretch of work between two breaths, in milliseconds.
const SLICE: f64 = 12.0;

/// Told how many files were found so far; answers whether to go on.
pub type Report<'a> = &'a dyn Fn(usize) -> bool;

/// Lets the page draw and take events when a slice is over.
struct Breath(f64);

impl Breath {
    fn new() -> Self {
        Self(timing::now())
    }

    async fn take(&mut self) {
        if timing::now() - self.0 > SLICE {
            TimeoutFuture::new(0).await;
            self.0 = timing::now();
        }
    }
}

/// The files of a picker's list. None if `report` said to stop.
pub async fn from_list(
    list: Array,
    in_folder: bool,
    report: Report<'_>,
) -> Option<Vec<Found<File>>> {
    let mut found = Vec::with_capacity(list.length() as usize);
    let mut breath = Breath::new();
    for file in list.iter().filter_map(|f| f.dyn_into::<File>().ok()) {
        let path = path_in_folder(&file).unwrap_or_else(|| file.name());
        found.push(Found {
            path,
            in_folder,
            file,
        });
        if found.len().is_multiple_of(64) {
            if !report(found.len()) {
                return None;
            }
            breath.take().await;
        }
    }
    Some(found)
}

/// `webkitRelativePath`, which web-sys does not know; empty outside a folder.
fn path_in_folder(file: &File) -> Option<String> {
    let path = Reflect::get(file, &"webkitRelativePath".into()).ok()?;
    path.as_string().filter(|p| !p.is_empty())
}

/// What was dropped: folders, and files beside them.
pub struct Drop {
    folders: Vec<FileSystemDirectoryEntry>,
    loose: Array,
}

/// What of a drop is no file that can be used.
#[derive(Debug, Default)]
pub struct Rest {
    /// Files and folders that cannot be read, and why.
    pub unread: Vec<Skipped>,
    /// Folders that hold nothing.
    pub empty: Vec<String>,
}

impl Drop {
    /// Reads the transfer, which the browser empties as soon as the event's handler returns.
    #[must_use]
    pub fn new(transfer: &DataTransfer) -> Self {
        let items = transfer.items();
        let mut folders = Vec::new();
        let loose = Array::new();
        for item in (0..items.length()).filter_map(|i| items.get(i)) {
            let entry = item.webkit_get_as_entry().ok().flatten();
            let folder = entry.filter(FileSystemEntry::is_directory);
            if let Some(folder) = folder {
                folders.push(folder.unchecked_into());
            } else if let Ok(Some(file)) = item.get_as_file() {
                loose.push(&file);
            }
        }
        Self { folders, loose }
    }

    /// Whether there are folders in it, which take a while to read.
    #[must_use]
    pub fn has_folders(&self) -> bool {
        !self.folders.is_empty()
    }

    /// All files of the drop, and what of it cannot be read: a link to nowhere, a file that is still in the
    /// cloud, a path too long for the system. None if `report` said to stop.
    pub async fn files(self, report: Report<'_>) -> Option<(Vec<Found<File>>, Rest)> {
        let mut found = from_list(self.loose, false, report).await?;
        let (mut unread, mut empty) = (Vec::new(), Vec::new());
        let mut folders = self.folders;
        while let Some(folder) = folders.pop() {
            let reader = folder.create_reader();
            let mut held = false;
            loop {
                // A reader gives at most a hundred entries at a time, and none at the end.
                let entries = call_back(|done, failed| {
                    reader.read_entries_with_callback_and_callback(done, failed)
                });
                let entries: Array = match entries.await {
                    Ok(entries) => entries.unchecked_into(),
                    Err(error) => {
                        unread.push(Skipped::failed(
                            path_of(&folder),
                            format!("is a folder that cannot be read ({})", reason(&error)),
                        ));
                        break;
                    }
                };
                if entries.length() == 0 {
                    if !held {
                        empty.push(path_of(&folder));
                    }
                    break;
                }
                held = true;
                let files = Array::new();
                let mut paths = Vec::new();
                for entry in entries
                    .iter()
                    .map(JsCast::unchecked_into::<FileSystemEntry>)
                {
                    if entry.is_directory() {
                        folders.push(entry.unchecked_into());
                    } else {
                        paths.push(path_of(&entry));
                        let entry: FileSystemFileEntry = entry.unchecked_into();
                        // What cannot be read comes as the error, so that one file does not fail them all.
                        files.push(&promise(|done, _| {
                            entry.file_with_callback_and_callback(done, done);
                            Ok(())
                        }));
                    }
                }
                let files = JsFuture::from(Promise::all(&files)).await;
                let files: Array = files.map_or_else(|_| Array::new(), JsCast::unchecked_into);
                for (path, file) in paths.into_iter().zip(files.iter()) {
                    match file.dyn_into::<File>() {
                        Ok(file) => found.push(Found {
                            path,
                            in_folder: true,
                            file,
                        }),
                        Err(error) => unread.push(Skipped::failed(
                            path,
                            format!("cannot be read ({})", reason(&error)),
                        )),
                    }
                }
                if !report(found.len()) {
                    return None;
                }
            }
        }
        Some((found, Rest { unread, empty }))
    }
}

/// The path of what was dropped, without the slash at its beginning.
fn path_of(entry: &FileSystemEntry) -> String {
    entry.full_path().trim_start_matches('/').to_owned()
}

fn promise(start: impl Fn(&Function, &Function) -> Result<(), JsValue>) -> Promise {
    Promise::new(&mut |done, failed| {
        if let Err(error) = start(&done, &failed) {
            // Calling the promise's own function cannot fail.
            let _ = failed.call1(&JsValue::NULL, &error);
        }
    })
}

async fn call_back(
    start: impl Fn(&Function, &Function) -> Result<(), JsValue>,
) -> Result<JsValue, JsValue> {
    JsFuture::from(promise(start)).await
}

/// Bytes that came from the worker as a PNG file.
pub fn png(bytes: &JsValue, name: &str) -> Option<File> {
    let options = FilePropertyBag::new();
    options.set_type("image/png");
    File::new_with_buffer_source_sequence_and_options(&Array::of1(bytes), name, &options).ok()
}

/// The address under which the browser holds a file until it is revoked.
pub fn address(file: &Blob) -> Option<String> {
    Url::create_object_url_with_blob(file).ok()
}

/// Hands bytes or text to the user as a download.
pub fn save(content: &JsValue, kind: &str, name: &str) -> Option<()> {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let blob = Blob::new_with_u8_array_sequence_and_options(&Array::of1(content), &options).ok()?;
    let url = address(&blob)?;
    let document = web_sys::window()?.document()?;
    let link: HtmlAnchorElement = document.create_element("a").ok()?.unchecked_into();
    link.set_href(&url);
    link.set_download(name);
    link.click();
    // The browser reads the blob after the click, and does not say when it is through.
    Timeout::new(60_000, move || revoke(&url)).forget();
    Some(())
}

/// Lets the browser forget a file.
pub fn revoke(url: &str) {
    // An address that is already forgotten is no loss.
    let _ = Url::revoke_object_url(url);
}

/// What the browser says about a failure.
pub fn reason(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into()).ok();
    let message = message.and_then(|m| m.as_string());
    message.unwrap_or_else(|| "it does not say why".to_owned())
}
